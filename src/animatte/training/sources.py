"""From a recipe to what it names: the network with its first weights, the stream of examples."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor

from animatte.checkpoint import load_checkpoint
from animatte.data.augmentation import ColourConfig, ViewConfig
from animatte.data.composition import CompositionConfig
from animatte.data.dataset import ExampleConfig, ExampleStream
from animatte.data.drawings import written_drawings
from animatte.data.folders import Pair, paired, pictures
from animatte.data.pictures import Backgrounds, Source
from animatte.data.registry import named_dataset
from animatte.data.tables import set_name, table_rows
from animatte.models.encoders.imagenet import imagenet_state
from animatte.models.growth import can_grow, grown_state
from animatte.models.registry import (
    GFMConfig,
    MattingNetwork,
    NetworkConfig,
    built_network,
)
from animatte.training.data_sections import DataSection, SourceSection
from animatte.training.recipe import NetworkSection

GIGABYTE = 10**9
FETCHED_WEIGHTS = "imagenet"


def network_of(section: NetworkSection) -> tuple[MattingNetwork, NetworkConfig]:
    """Build the network and load its first weights.

    Raises:
        ValueError: if a name is unknown, or a weights file missing or of another network.
    """
    config = section.config
    network = built_network(config)
    if section.initial is not None:
        network.load_state_dict(first_state(section.initial, config))
    if section.encoder_weights is not None and (section.initial is None or section.encoder_anew):
        fetched = str(section.encoder_weights) == FETCHED_WEIGHTS
        file = None if fetched else section.encoder_weights
        try:
            network.encoder.load_torchvision(imagenet_state(config.encoder, file))
        except ValueError as error:
            raise ValueError(
                f"network.encoder_weights={section.encoder_weights}: {error}; set it to a file "
                f"that fits {config.encoder}, or to null for fresh weights"
            ) from error
    return network, config


def state_to_share(section: NetworkSection, network: MattingNetwork) -> dict[str, Tensor]:
    """Copy the weights of which `initial_share` is kept.

    Args:
        section: of the recipe.
        network: with its first weights.

    Returns:
        What the network begins with; where its encoder begins anew, all of `initial`'s, the encoder
        too; nothing where no share is kept.
    """
    if not section.initial_share:
        return {}
    state = deepcopy(network.state_dict())
    if section.encoder_anew and section.initial is not None:
        # The rest stays the network's: where that was grown, new channels were drawn by chance.
        modules = network.named_modules()
        encoder = next(name for name, module in modules if module is network.encoder)
        first = first_state(section.initial, section.config)
        state |= {name: first[name] for name in first if name.startswith(f"{encoder}.")}
    return state


def first_state(initial: Path | tuple[Path, ...], config: NetworkConfig) -> dict[str, Tensor]:
    """Mean weights of the checkpoints to train on from, or those of the only one."""
    paths = initial if isinstance(initial, tuple) else (initial,)
    return mean_state([initial_state(path, config) for path in paths])


def initial_state(path: Path, config: NetworkConfig) -> dict[str, Tensor]:
    """Load a checkpoint to train on from; that of a narrower network is grown.

    Raises:
        ValueError: if it holds another network than the recipe's.
    """
    network, found = load_checkpoint(path)
    if found != config:
        if (
            isinstance(found, GFMConfig)
            and isinstance(config, GFMConfig)
            and can_grow(found, config)
        ):
            return grown_state(network.state_dict(), found, config)
        raise ValueError(
            f"{path} holds another network ({_described(found)}) than the recipe's "
            f"({_described(config)}); change network.initial or network.name"
        )
    return network.state_dict()


def mean_state(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Mean of each tensor over state dicts of one network; counters are the first's."""
    return {
        name: torch.stack([state[name] for state in states]).mean(dim=0)
        if value.is_floating_point()
        else value
        for name, value in states[0].items()
    }


def blended_state(
    trained: Mapping[str, Tensor], initial: Mapping[str, Tensor], initial_share: float
) -> dict[str, Tensor]:
    """Interpolate each tensor from `trained` towards `initial`; counters are as trained."""
    return {
        name: value.lerp(initial[name].to(value.device), initial_share)
        if value.is_floating_point()
        else value
        for name, value in trained.items()
    }


def _described(config: NetworkConfig) -> str:
    return f"{config.encoder}, {config.rosta if isinstance(config, GFMConfig) else 'LFM'}"


def stream_of(
    section: DataSection, seed: int, asked: Collection[str] = frozenset()
) -> ExampleStream:
    """Find the pictures a recipe names.

    Args:
        section: of the recipe.
        seed: of every choice.
        asked: planes of an example that a loss asks for; see `animatte.training.objective`.

    Raises:
        ValueError: if a folder is missing, its pictures have no alphas, or the composition's track
            has no backgrounds.
    """
    composition = section.composition.config
    config = ExampleConfig(
        view=ViewConfig(**section.view.model_dump()),
        colour=ColourConfig(**section.colour.model_dump()),
        composition=composition,
        empty=section.empty,
        transition_kernel=section.transition_kernel,
        focus_kernel=section.focus_kernel,
        wide_kernel=section.wide_kernel if "wide_label" in asked else None,
        layers="foreground" in asked,
    )
    sources = []
    for number, source in enumerate(section.sources):
        with _told(f"data.sources.{number}"):
            sources.append(_source(section.root, source, composition.replaced))
    backgrounds = _backgrounds(section)
    _check_replaced(section, backgrounds)
    if any(source.replaced for source in sources):
        _check_backgrounds(section, composition, backgrounds)
    for switch in ("hidden", "nested"):
        if getattr(composition, switch) and not backgrounds.plain:
            raise ValueError(
                f"data.composition.{switch} takes colours from data.backgrounds, and that is not "
                f"given; name a folder of pictures there, or set {switch} to 0"
            )
    return ExampleStream(sources, backgrounds, config, seed, int(section.cache * GIGABYTE))


def _backgrounds(section: DataSection) -> Backgrounds:
    composition = section.composition
    with _told("data.backgrounds"):
        plain = backgrounds_in(section.backgrounds)
    with _told("data.composition.objects"):
        objects = backgrounds_in(composition.objects)
    with _told("data.composition.denoised_backgrounds"):
        denoised = _by_name(composition.denoised_backgrounds)
    return Backgrounds(plain, objects, denoised)


@contextmanager
def _told(key: str) -> Iterator[None]:
    """Name the recipe's key before what is wrong with what it names."""
    try:
        yield
    except OSError as error:
        raise ValueError(f"{key}: {error.filename}: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error


def _check_replaced(section: DataSection, backgrounds: Backgrounds) -> None:
    """Refuse a source that asks for other backgrounds where there are none."""
    if backgrounds.plain or backgrounds.objects:
        return
    for number, source in enumerate(section.sources):
        if source.replaced:
            raise ValueError(
                f"data.sources.{number}.replaced is {source.replaced:g}, and there is nothing to "
                "put there; name a folder of pictures in data.backgrounds, or leave replaced out"
            )


def _check_backgrounds(
    section: DataSection, config: CompositionConfig, backgrounds: Backgrounds
) -> None:
    """Refuse a track that composites every picture without what it composites onto."""
    track = section.composition.track
    if config.replaced < 1:
        return
    if config.semantic < 1 and not backgrounds.objects:
        raise ValueError(
            f"data.composition.track is {track}, which takes backgrounds from "
            "data.composition.objects, and that is not given; name a folder of pictures there"
        )
    if config.semantic > 0 and not backgrounds.plain:
        raise ValueError(
            f"data.composition.track is {track}, which takes backgrounds from data.backgrounds, "
            "and that is not given; name a folder of pictures there"
        )


def _source(root: Path, section: SourceSection, replaced: float) -> Source:
    folder = root / section.folder
    pairs = included(root, section)
    published = {pair.name: pair.foreground for pair in pairs if pair.foreground is not None}
    named = _by_name(folder / section.foreground if section.foreground else None)
    return Source(
        pairs=pairs,
        weight=section.weight,
        replaced=replaced if section.replaced is None else section.replaced,
        per_epoch=section.per_epoch,
        fur=section.fur,
        foregrounds=published | named,
        denoised=_by_name(folder / section.denoised if section.denoised else None),
    )


def _by_name(folder: Path | None) -> dict[str, Path]:
    return {} if folder is None else {path.stem: path for path in pictures(folder)}


def included(root: Path, source: SourceSection) -> list[Pair]:
    """Return the pairs of a source but for those that it leaves out.

    Raises:
        ValueError: if nothing is left, or the table of those that it takes is none.
        OSError: if that cannot be read.
    """
    folder = root / source.folder
    if source.drawn is not None:
        written_drawings(folder, source.drawn)
    found = (
        paired(folder)
        if source.dataset is None
        else named_dataset(source.dataset).pairs(folder, source.split)
    )
    pairs = [pair for pair in found if not pair.name.startswith(source.exclude)]
    if not pairs:
        raise ValueError(f"{folder}: exclude leaves no picture of {len(found)}")
    if source.only is not None:
        listed = {row.name for row in table_rows(source.only, set_name(folder), [])}
        pairs = [pair for pair in pairs if pair.name in listed]
        if not pairs:
            raise ValueError(
                f"{source.only} lists no picture of {folder}; it must name pictures of the set "
                f"{set_name(folder)!r}, or leave only out"
            )
    return pairs


def backgrounds_in(folder: Path | None) -> list[Pair]:
    """Return the pictures of a folder as pairs without an animal; none for no folder."""
    return [] if folder is None else [Pair(path, None) for path in pictures(folder)]


def seeded(seed: int) -> None:
    """Seed what torch draws from: the first weights."""
    torch.manual_seed(seed)
