"""`animatte cut --engine ray`: what it does otherwise than the local engine."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from animatte.batch import Record, Result
    from animatte.cutting import CutOptions
    from animatte.looks import Looks
    from animatte.predictor import Predictor
    from animatte.scale import Setup, Work


def setup(
    *,
    model: str | None,
    device: str,
    strategy: str | None,
    refine: str | None,
    looks: Looks,
    budget: int | None,
) -> Setup:
    """What each worker loads; a model's file by its whole path."""
    from animatte.extras import check_installed
    from animatte.scale import Setup

    check_installed("ray", "scale")
    if model is not None and Path(model).is_file():
        model = str(Path(model).absolute())
    return Setup(model, device, strategy, refine, looks, budget)


def listed(
    names: Sequence[str],
    output: str | None,
    include: Sequence[str] | None,
    exclude: Sequence[str] | None,
) -> Work:
    """The pictures, on disk, in Parquet lists and in stores."""
    from animatte.listing import Filters
    from animatte.scale import listed_work

    return listed_work(names, Filters(tuple(include or ()), tuple(exclude or ())), output)


def targets(
    work: Work, options: CutOptions, kept: Sequence[Path], report: str | None
) -> tuple[list[str], Path | None]:
    """Where results go, and the report."""
    from animatte.outputs import report_path
    from animatte.scale import scaled_targets

    path = None if report is None else report_path(report, [*work.listing.photos, *kept])
    kept = [*kept, path] if path else kept
    return scaled_targets(work, options.kind, options.output_format, kept), path


def is_on_disk(work: Work) -> bool:
    """Whether neither pictures nor results lie in a store."""
    from animatte.scale import is_address

    return not any(is_address(name) for name in (*work.photos, work.output or ""))


def record_of(
    work: Work, settings: Mapping[str, Any] | None, resume: bool
) -> AbstractContextManager[Record | None]:
    """The record of a folder of results; none without settings.

    Raises:
        ValueError: if it is to be kept of pictures or results in a store.
    """
    from animatte import batch

    if settings is not None and not is_on_disk(work):
        raise ValueError("--resume goes by files on disk; leave it out with addresses")
    return batch.record_of(work.output, settings, resume)


def results(
    setup: Setup,
    predictor: Predictor,
    options: CutOptions,
    *,
    work: Work,
    targets: Sequence[str],
    jobs: int | None,
    record: Record | None,
) -> Generator[Result]:
    """The results, from Ray's workers."""
    from animatte.scale import cut_scaled

    return cut_scaled(
        setup,
        options,
        work.photos,
        targets,
        on_gpu=predictor.device == "cuda",
        workers=jobs,
        record=record,
    )
