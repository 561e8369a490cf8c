"""Networks by name: encoders, configurations, and how a configuration becomes a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from animatte.models.decoders import DecoderConfig, FocusDecoder, GlanceDecoder, Head
from animatte.models.encoders.base import Encoder, InputScaling
from animatte.models.encoders.densenet import DenseNet121, DenseNet201
from animatte.models.encoders.efficientnet_lite import EfficientNetLite
from animatte.models.encoders.mobilenet_v2 import MobileNetV2
from animatte.models.encoders.resnet import (
    RESNET34,
    RESNET101,
    BasicBlock,
    Bottleneck,
    ResNet,
    ResNet34TwoMore,
)
from animatte.models.gfm import GFM, GFMTrunk, IntegratedGFM, RostaHeads, RostaIntegration
from animatte.models.late_fusion import (
    LFM,
    NORM_EPSILON,
    NORM_MOMENTUM,
    BranchDecoder,
    FusionNetwork,
    LFMConfig,
)
from animatte.models.layers import PyramidPooling
from animatte.models.rosta import Rosta

ENCODERS: Mapping[str, Callable[[], Encoder]] = {
    "mobilenet_v2": MobileNetV2,
    "mobilenet_v2_frozen": partial(MobileNetV2, frozen_norm=True),
    "mobilenet_v2_detail": partial(MobileNetV2, detail_channels=16, frozen_norm=True),
    "efficientnet_lite0": EfficientNetLite,
    "efficientnet_lite0_detail": partial(EfficientNetLite, detail_channels=16, frozen_norm=True),
    "efficientnet_lite1": partial(EfficientNetLite, 1.0, 1.1),
    "efficientnet_lite1_short": partial(
        EfficientNetLite, 1.0, 1.1, detail_channels=16, frozen_norm=True, stages=6
    ),
    "efficientnet_lite2": partial(EfficientNetLite, 1.1, 1.2),
    "efficientnet_lite2_detail": partial(
        EfficientNetLite, 1.1, 1.2, detail_channels=16, frozen_norm=True
    ),
    "resnet34": partial(ResNet, BasicBlock, RESNET34),
    "resnet34_2b": ResNet34TwoMore,
    "resnet101": partial(ResNet, Bottleneck, RESNET101),
    "resnet_tiny": partial(ResNet, BasicBlock, (1, 1, 1, 1), widths=(16, 24, 32, 48)),
    "densenet121": DenseNet121,
    "densenet201": partial(DenseNet201, NORM_EPSILON, NORM_MOMENTUM),
}


@dataclass(frozen=True)
class GFMConfig:
    """A GFM network, whole: what is saved beside its weights.

    Attributes:
        encoder: a key of `ENCODERS`.
        rosta: "TT", "FT", "BT" or "RIM".
        input_scaling: a key of `animatte.models.encoders.base.INPUT_SCALINGS`.
        prior_channels: channels of each pooled prior of the context.
        context_channels: channels of the context.
        bridge: channels of the focus decoder's dilated bridge.
        glance: widths of the glance decoder.
        focus: widths of the focus decoder.
        glance_softmax: softmax over the classes; False for the published sigmoids.
    """

    encoder: str
    rosta: str
    input_scaling: str
    prior_channels: int
    context_channels: int
    bridge: tuple[int, ...]
    glance: DecoderConfig
    focus: DecoderConfig
    glance_softmax: bool

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return asdict(self)

    def widened(self, factor: float) -> GFMConfig:
        """Return it with context and decoders so many times as wide, in whole eights."""

        def wide(*channels: int) -> tuple[int, ...]:
            return tuple(max(round(factor * each / 8), 1) * 8 for each in channels)

        (prior, context) = wide(self.prior_channels, self.context_channels)
        glance, focus = (
            replace(
                decoder,
                stages=tuple(wide(*stage) for stage in decoder.stages),
                head=wide(*decoder.head),
            )
            for decoder in (self.glance, self.focus)
        )
        return replace(
            self,
            prior_channels=prior,
            context_channels=context,
            bridge=wide(*self.bridge),
            glance=glance,
            focus=focus,
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> GFMConfig:
        """Rebuild from `as_dict`'s values, lists taken for tuples.

        Raises:
            ValueError: if a field is missing or unknown.
        """
        try:
            decoders = {name: _decoder_config(values[name]) for name in ("glance", "focus")}
            return cls(**{**values, "bridge": tuple(values["bridge"]), **decoders})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a GFM configuration: {error}") from error


def _decoder_config(values: Mapping[str, Any]) -> DecoderConfig:
    return DecoderConfig(
        stages=tuple(tuple(stage) for stage in values["stages"]),
        head=tuple(values["head"]),
        head_skip=bool(values["head_skip"]),
    )


def _published(encoder: str, deepest: int, decoder: DecoderConfig) -> GFMConfig:
    """Widths as published: context and bridge as wide as the deepest feature, twin decoders."""
    return GFMConfig(
        encoder=encoder,
        rosta="TT",
        input_scaling="bytes",
        prior_channels=deepest,
        context_channels=deepest,
        bridge=(deepest, deepest, deepest),
        glance=decoder,
        focus=decoder,
        glance_softmax=False,
    )


_RESNET34_STAGES = ((512, 512, 256), (256, 256, 128), (128, 128, 64), (64, 64, 64))
_RESNET101_STAGES = ((2048, 1024, 1024), (1024, 512, 512), (512, 256, 256), (256, 128, 64))
_TWO_MORE_STAGES = ((512, 512, 512), (512, 512, 512))

# The TT form of each; `gfm_config` gives the others.
GFM_CONFIGS: Mapping[str, GFMConfig] = {
    "r34": _published("resnet34", 512, DecoderConfig(_RESNET34_STAGES, (64, 64))),
    "r34_2b": _published(
        "resnet34_2b",
        512,
        DecoderConfig((*_TWO_MORE_STAGES, *_RESNET34_STAGES), (), head_skip=False),
    ),
    "d121": _published("densenet121", 512, DecoderConfig(_RESNET34_STAGES, (64, 64))),
    "r101": _published("resnet101", 2048, DecoderConfig(_RESNET101_STAGES, (64, 64))),
    # Slim: a glance that stops at a quarter of the view, a focus that sees every pixel of it.
    "animatte-s": GFMConfig(
        encoder="efficientnet_lite1_short",
        rosta="TT",
        input_scaling="symmetric",
        prior_channels=40,
        context_channels=64,
        bridge=(40, 40, 40),
        glance=DecoderConfig(((64, 64), (64, 48), (48, 32)), (32,)),
        focus=DecoderConfig(((48, 48), (48, 40), (40, 32), (32, 24), (24, 16)), (16,)),
        glance_softmax=True,
    ),
    # The first form of animatte-s; the labels that it is trained on are partly this one's mattes.
    "labeller": GFMConfig(
        encoder="mobilenet_v2_detail",
        rosta="TT",
        input_scaling="symmetric",
        prior_channels=64,
        context_channels=96,
        bridge=(64, 64, 64),
        glance=DecoderConfig(((96, 96), (96, 64), (64, 48)), (48,)),
        focus=DecoderConfig(((96, 96), (96, 64), (64, 48), (48, 32), (32, 16)), (16,)),
        glance_softmax=True,
    ),
    # A wider encoder, whole, and wider decoders.
    "animatte-m": GFMConfig(
        encoder="efficientnet_lite2_detail",
        rosta="TT",
        input_scaling="symmetric",
        prior_channels=96,
        context_channels=144,
        bridge=(96, 96, 96),
        glance=DecoderConfig(((144, 144), (144, 96), (96, 72)), (72,)),
        focus=DecoderConfig(((128, 128), (128, 80), (80, 48), (48, 32), (32, 16)), (16,)),
        glance_softmax=True,
    ),
    # To try a training: it learns from fresh weights in a minute, and is of no other use.
    "tiny": GFMConfig(
        encoder="resnet_tiny",
        rosta="TT",
        input_scaling="symmetric",
        prior_channels=16,
        context_channels=32,
        bridge=(32, 32, 32),
        glance=DecoderConfig(((32, 32), (32, 24), (24, 16)), (16,)),
        focus=DecoderConfig(((32, 32), (32, 24), (24, 16), (16, 16)), (16,)),
        glance_softmax=True,
    ),
}


LFM_CONFIGS: Mapping[str, LFMConfig] = {
    # As published, but for the mean colours that the release subtracts: torchvision's weights for
    # the encoder ask for torchvision's.
    "lfm": LFMConfig(
        encoder="densenet201",
        input_scaling="imagenet",
        blocks=(1792, 512, 256, 128, 128),
        pyramid=128,
        fusion_image=128,
        fusion=(256, 128, 128, 64, 256),
    ),
    "lfm-s": LFMConfig(
        encoder="mobilenet_v2_frozen",
        input_scaling="symmetric",
        blocks=(160, 96, 64, 24, 24),
        pyramid=24,
        fusion_image=12,
        fusion=(24, 16, 16, 12, 16),
    ),
}

NetworkConfig: TypeAlias = GFMConfig | LFMConfig
MattingNetwork: TypeAlias = GFM | IntegratedGFM | LFM


def network_config(name: str, rosta: str | None = None) -> NetworkConfig:
    """Return a known configuration.

    Args:
        name: a key of `GFM_CONFIGS` or `LFM_CONFIGS`.
        rosta: "TT", "FT", "BT" or "RIM" for GFM, None for TT; None for LFM, which has none.

    Raises:
        ValueError: if either is unknown.
    """
    if name in LFM_CONFIGS:
        if rosta is not None:
            raise ValueError(f"network {name!r} is no GFM and has no RoSTa {rosta!r}; leave it out")
        return LFM_CONFIGS[name]
    if name not in GFM_CONFIGS:
        known = ", ".join((*GFM_CONFIGS, *LFM_CONFIGS))
        raise ValueError(f"network {name!r} is unknown; choose one of {known}")
    return gfm_config(name, "TT" if rosta is None else rosta)


def built_network(config: NetworkConfig) -> MattingNetwork:
    """Build the network of a configuration, with fresh weights."""
    return built_lfm(config) if isinstance(config, LFMConfig) else built_gfm(config)


def network_kind(network: MattingNetwork) -> str:
    """How its outputs become alpha: its RoSTa, "RIM", or "LFM"."""
    if isinstance(network, GFM):
        return str(network.rosta.value)
    return "RIM" if isinstance(network, IntegratedGFM) else "LFM"


def is_published(network: MattingNetwork) -> bool:
    """Whether a network is of a paper's form; ours have a glance of probabilities."""
    if isinstance(network, IntegratedGFM):
        return not network.tt.softmax
    return not (isinstance(network, GFM) and network.heads.softmax)


def gfm_config(name: str, rosta: str = "TT") -> GFMConfig:
    """Return a known configuration for a RoSTa.

    Args:
        name: a key of `GFM_CONFIGS`.
        rosta: "TT", "FT", "BT" or "RIM".

    Raises:
        ValueError: if either is unknown.
    """
    if name not in GFM_CONFIGS:
        raise ValueError(f"network {name!r} is unknown; choose one of {', '.join(GFM_CONFIGS)}")
    if rosta not in (*Rosta.__members__, "RIM"):
        raise ValueError(f"RoSTa {rosta!r} is unknown; choose one of TT, FT, BT, RIM")
    return replace(GFM_CONFIGS[name], rosta=rosta)


def built_gfm(config: GFMConfig) -> GFM | IntegratedGFM:
    """Build the network, with fresh weights."""
    encoder = built_encoder(config.encoder)
    deepest = encoder.channels[-1]
    trunk = GFMTrunk(
        InputScaling(config.input_scaling),
        encoder,
        PyramidPooling(deepest, config.prior_channels, config.context_channels),
        GlanceDecoder(config.context_channels, deepest, encoder.strides, config.glance),
        FocusDecoder(encoder.channels, encoder.strides, config.bridge, config.focus),
    )
    if config.rosta != "RIM":
        return GFM(trunk, _rosta_heads(trunk, config, Rosta(config.rosta)))
    tt, ft, bt = (_rosta_heads(trunk, config, rosta) for rosta in Rosta)
    return IntegratedGFM(trunk, tt, ft, bt, RostaIntegration())


def built_lfm(config: LFMConfig) -> LFM:
    """Build the network, with fresh weights."""
    encoder = built_encoder(config.encoder)
    foreground, background = (
        BranchDecoder(encoder.channels, config.blocks, config.pyramid) for _ in range(2)
    )
    fusion = FusionNetwork(config.pyramid, config.fusion_image, config.fusion)
    return LFM(InputScaling(config.input_scaling), encoder, foreground, background, fusion)


def built_encoder(name: str) -> Encoder:
    """Build an encoder, with fresh weights.

    Raises:
        ValueError: if it is unknown.
    """
    if name not in ENCODERS:
        raise ValueError(f"encoder {name!r} is unknown; choose one of {', '.join(ENCODERS)}")
    return ENCODERS[name]()


def _rosta_heads(trunk: GFMTrunk, config: GFMConfig, rosta: Rosta) -> RostaHeads:
    glance, focus = trunk.glance_decoder, trunk.focus_decoder
    return RostaHeads(
        rosta,
        Head(glance.out_channels, config.glance.head, rosta.num_classes, glance.out_stride),
        Head(focus.out_channels, config.focus.head, 1, focus.out_stride),
        softmax=config.glance_softmax,
    )
