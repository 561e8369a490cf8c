"""What one `animatte cut` was told, understood."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from animatte.cutting import CutOptions
    from animatte.listing import Filters
    from animatte.looks import Looks
    from animatte.predictor import Predictor
    from animatte.subjects import Margin

STREAM = "-"


class Sources(NamedTuple):
    """Which photos, and where their results go, as given."""

    names: Sequence[str]
    output: str | None
    include: Sequence[str] | None
    exclude: Sequence[str] | None

    @property
    def filters(self) -> Filters:
        """Which files of folders are taken."""
        from animatte.listing import Filters

        return Filters(tuple(self.include or ()), tuple(self.exclude or ()))


class Network(NamedTuple):
    """What finds the mattes, as `animatte.predictor.load` takes it."""

    model: str | None
    device: str
    strategy: str | None
    refine: str | None
    looks: Looks

    def loaded(self, verbose: bool, num_jobs: int = 1) -> Predictor:
        """The predictor; of several photos at a time each has its share of the cores."""
        from animatte.predictor import load

        threads = None if num_jobs == 1 else max(1, num_cores() // num_jobs)
        predictor = load(*self, threads=threads)
        if verbose:
            typer.echo(
                f"model {predictor.name} on {predictor.device}, strategy {predictor.strategy}",
                err=True,
            )
        return predictor


@dataclass(frozen=True)
class Content:
    """What is written of each photo; `subject` is followed by its point and its box."""

    format_name: str | None
    matte: bool
    trimap: bool
    background: str | None
    subject: tuple[str, str | None, str | None]
    margin: Margin | None
    max_pixels: int | None

    @property
    def files(self) -> list[Path]:
        """What is read besides photos, and so never written."""
        return [Path(self.background)] if self.background else []

    def options(self, output: str | None, num_photos: int) -> CutOptions:
        """The same with the format, which an output may name."""
        from animatte.backgrounds import parsed_background
        from animatte.cutting import CutOptions
        from animatte.images import DEFAULT_MAX_PIXELS
        from animatte.outputs import named_format
        from animatte.subjects import parsed_subject

        output_format = named_format(self.format_name, output, num_photos)
        limit = DEFAULT_MAX_PIXELS if self.max_pixels is None else self.max_pixels
        background = self.background
        return CutOptions(
            matte=self.matte,
            background=None if background is None else parsed_background(background, limit),
            output_format=output_format,
            max_pixels=limit,
            trimap=self.trimap,
            subject=parsed_subject(*self.subject),
            crop=self.margin,
        )


class Conduct(NamedTuple):
    """How the work is done: a budget of bytes, and what is told."""

    jobs: int | None
    budget: int | None
    resume: bool
    report: str | None
    quiet: bool
    verbose: bool


class Order(NamedTuple):
    """One command."""

    sources: Sources
    network: Network
    content: Content
    conduct: Conduct

    def settings(self, predictor: Predictor, options: CutOptions) -> dict[str, Any]:
        """All that results depend on besides the photos."""
        from animatte import __version__
        from animatte.batch import plain_options
        from animatte.engine import model_file

        return {
            "version": __version__,
            "model": hashlib.sha256(model_file(self.network.model).read_bytes()).hexdigest(),
            "strategy": predictor.strategy.as_dict(),
            "refine": self.network.refine,
            "looks": repr(predictor.looks),
            "options": plain_options(options),
        }


def num_cores() -> int:
    """Of this machine."""
    return os.cpu_count() or 1


def chosen_margin(crop: bool, margin: str | None) -> Margin | None:
    """What is left around the subject; None without a crop.

    Raises:
        ValueError: for a margin of nothing, or one that is none.
    """
    from animatte.subjects import Margin, parsed_margin

    if not crop:
        if margin is not None:
            raise ValueError("--margin is left around the subject by --crop; give that too")
        return None
    return Margin() if margin is None else parsed_margin(margin)


def chosen_looks(straighten: str, zoom: str, aspect: str | None) -> Looks:
    """How photos are shown to the network."""
    from animatte.looks import Looks, parsed_aspect, parsed_straighten, parsed_zoom

    return Looks(
        parsed_straighten(straighten),
        parsed_zoom(zoom),
        None if aspect is None else parsed_aspect(aspect),
    )
