"""The protocols of published tables: pixels that count, rules of Grad and Conn, scales."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Area = Literal["image", "transition"]


@dataclass(frozen=True)
class GradRule:
    """How a protocol works out Grad, the error of the gradient's magnitude.

    Attributes:
        radius: of the Gaussian derivative filter, in pixels: it is 2 · radius + 1 wide.
        unit_norm: whether the filter's squares add up to 1 (else the Gaussian's weights do).
        border: what lies outside the picture: its border pixel, or the picture mirrored.
        stretched: whether each alpha is first stretched from its own range to [0, 1].
        divisor: of Σ(Δ magnitude)².
        sigma: of the Gaussian, in pixels.
    """

    radius: int
    unit_norm: bool
    border: Literal["replicate", "reflect"]
    stretched: bool
    divisor: float
    sigma: float = 1.4


# Products k · 0.1 in double precision: 0.6000000000000001 is more than the alpha 153 / 255. The
# little more that stands here keeps that so for an alpha in single precision.
_PRODUCTS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6 + 3e-8, 0.7, 0.8, 0.9, 1.0)
_TENTHS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class ConnRule:
    """How a protocol works out Conn, the error of how firmly pixels hang on to the subject.

    Attributes:
        levels: thresholds of alpha above 0, rising.
        empty: what becomes of pixels still connected when no pixel reaches a level: they stay at
            the level "below", or are "passed" on to the next and so may end up at 1.
        background_competes: whether all that is outside the intersection counts as one more
            component, which may be the largest: a slip of a widespread program.
        by_columns: of components equally large, take the first by columns, not by rows.
        divisor: of Σ|Δφ|.
        slack: differences below this are forgiven.
    """

    levels: tuple[float, ...] = _TENTHS
    empty: Literal["below", "passed"] = "below"
    background_competes: bool = False
    by_columns: bool = False
    divisor: float = 1000
    slack: float = 0.15


@dataclass(frozen=True)
class Column:
    """How a score is written in a table.

    Attributes:
        heading: with the power of ten that the table's numbers are multiplied by.
        factor: the score as it is worked out, times this, is the table's number.
        scale: the formula of the score as it is worked out.
        decimals: usual in published tables.
    """

    heading: str
    factor: float
    scale: str
    decimals: int


@dataclass(frozen=True)
class Protocol:
    """What a published table's numbers mean.

    Attributes:
        name: by which `alpha_scores` knows it.
        title: in words.
        area: which pixels `sad`, `mse`, `mad`, `grad` and `conn` are taken over.
        grad: how Grad is worked out.
        conn: how Conn is worked out.
        mean_factor: of MSE and MAD, which are means over the area.
        known_filled: whether the transition's scores take the trimap's 0 and 1 outside the
            transition for the prediction, instead of leaving these pixels out.
        columns: heading and scale of each score, those of `alpha_scores` by their key without the
            area's suffix.
        source: where the definition is published.
        warning: what to know before comparing; empty where nothing is.
    """

    name: str
    title: str
    area: Area
    grad: GradRule
    conn: ConnRule
    mean_factor: float
    known_filled: bool
    source: str
    warning: str = ""
    columns: Mapping[str, Column] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", _columns(self))

    def column(self, score: str) -> Column:
        """Heading and scale of a score's key, with or without the area's suffix."""
        if score in self.columns:
            return self.columns[score]
        metric, _, area = score.partition("_")
        column = self.columns[metric]
        heading = f"{column.heading} {area}".rstrip()
        return Column(heading, column.factor, column.scale, column.decimals)


# Alike in all protocols, and never of an area.
_COMMON_COLUMNS: Final[Mapping[str, Column]] = {
    "iou": Column("IoU", 1, "of the mattes cut at 0.5", 3),
    "boundary_f": Column("boundary F", 1, "of the outlines of the mattes cut at 0.5", 3),
    "colour": Column("colour·10³", 1000, "mean error of the cut-out's colours at the edge", 2),
}


def _columns(protocol: Protocol) -> dict[str, Column]:
    thousand = "" if protocol.mean_factor == 1 else f" · {protocol.mean_factor:g}"
    to_table = 1000 / protocol.mean_factor
    grad, conn = protocol.grad.divisor, protocol.conn.divisor
    return {
        **_COMMON_COLUMNS,
        "sad": Column("SAD", 1, "Σ|d| / 1000", 2),
        "mse": Column("MSE·10³", to_table, f"mean of d²{thousand}", 2),
        "mad": Column("MAD·10³", to_table, f"mean of |d|{thousand}", 2),
        "grad": Column("Grad", 1, f"Σ(Δ|∇|)² / {grad:g}", 2),
        "conn": Column("Conn", 1, f"Σ|Δφ| / {conn:g}", 2),
    }


_MATLAB_GRAD: Final = GradRule(
    radius=4, unit_norm=True, border="replicate", stretched=True, divisor=1000
)
_PORTED_GRAD: Final = GradRule(
    radius=4, unit_norm=True, border="replicate", stretched=False, divisor=1000
)
_GFM_GRAD: Final = GradRule(
    radius=6, unit_norm=False, border="reflect", stretched=False, divisor=10
)

PROTOCOLS: Final[Mapping[str, Protocol]] = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            name="gfm",
            title="AM-2k as published with GFM",
            area="image",
            grad=_GFM_GRAD,
            conn=ConnRule(levels=_PRODUCTS, empty="passed"),
            mean_factor=1,
            known_filled=True,
            source="Li et al. 2022 (GFM), core/evaluate.py and core/test.py of JizhiziLi/GFM",
        ),
        Protocol(
            name="dim",
            title="Composition-1k as published with Deep Image Matting",
            area="transition",
            grad=_MATLAB_GRAD,
            conn=ConnRule(by_columns=True),
            mean_factor=1,
            known_filled=False,
            source="Xu et al. 2017 (DIM), the MATLAB programs compute_*_loss.m of 2018-1-1",
        ),
        Protocol(
            name="rvm",
            title="Robust Video Matting",
            area="image",
            grad=_MATLAB_GRAD,
            conn=ConnRule(),
            mean_factor=1000,
            known_filled=False,
            source="Lin et al. 2022, evaluation/evaluate_lr.py of PeterL1n/RobustVideoMatting",
        ),
        Protocol(
            name="gca-legacy",
            title="The widespread Python port, first published with GCA-Matting",
            area="transition",
            grad=_PORTED_GRAD,
            conn=ConnRule(levels=_PRODUCTS, background_competes=True),
            mean_factor=1,
            known_filled=False,
            source="Li and Lu 2020 (GCA), utils/evaluate.py of Yaoyi-Li/GCA-Matting",
            warning=(
                "Conn may take the background for the largest component and then comes out too "
                "low: compare only with tables made by the same program"
            ),
        ),
    )
}


def named_protocol(name: str) -> Protocol:
    """Return a protocol by its name.

    Raises:
        ValueError: naming the protocols there are.
    """
    if name not in PROTOCOLS:
        raise ValueError(f"protocol is {name!r}; it must be one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]
