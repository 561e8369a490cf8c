"""`animatte cut --engine ray`: photos by Ray's workers, on disk, in Parquet lists and in stores."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from animatte.cli.cut_telling import told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from animatte.batch import Record
    from animatte.cli.cut_order import Network, Order
    from animatte.cutting import CutOptions
    from animatte.scale import Setup, Work


def cut_scaled(order: Order) -> None:
    """Cut photos, wherever they lie.

    Raises:
        typer.Exit: with 1 if a photo failed.
    """
    sources, network, content, conduct = order
    setup = _setup(network, conduct.budget)
    from animatte import scale

    work = scale.listed_work(sources.names, sources.filters, sources.output)
    options = content.options(work.output, len(work.photos))
    targets, report = _targets(work, options, content.files, conduct.report)
    predictor = network.loaded(conduct.verbose)
    keeps_record = conduct.resume or (work.listing.has_folders and _is_on_disk(work))
    settings = order.settings(predictor, options) if keeps_record else None
    with _record_of(work, settings, conduct.resume, report) as record:
        results = scale.cut_scaled(
            setup,
            options,
            work.photos,
            targets,
            on_gpu=predictor.device == "cuda",
            workers=conduct.jobs,
            record=record,
        )
        told(results, work.listing, predictor.name, report, conduct.quiet)


def _setup(network: Network, budget: int | None) -> Setup:
    """What each worker loads; a model's file by its whole path."""
    from animatte.extras import check_installed

    check_installed("ray", "scale")
    from animatte.scale import Setup

    model = network.model
    if model is not None and Path(model).is_file():
        model = str(Path(model).absolute())
    return Setup(model, network.device, network.strategy, network.refine, network.looks, budget)


def _targets(
    work: Work, options: CutOptions, kept: Sequence[Path], report: str | None
) -> tuple[list[str], Path | None]:
    """Where results go, and the report."""
    from animatte.outputs import report_path
    from animatte.scale import scaled_targets

    path = None if report is None else report_path(report, [*work.listing.photos, *kept])
    kept = [*kept, path] if path else kept
    return scaled_targets(work, options.kind, options.output_format, kept), path


def _is_on_disk(work: Work) -> bool:
    """Whether neither pictures nor results lie in a store."""
    from animatte.scale import is_address

    return not any(is_address(name) for name in (*work.photos, work.output or ""))


def _record_of(
    work: Work, settings: Mapping[str, Any] | None, resume: bool, report: Path | None
) -> AbstractContextManager[Record | None]:
    """The record of a folder of results; none without settings.

    Raises:
        ValueError: if it is to be kept of pictures or results in a store, or is the report.
    """
    from animatte import batch

    if settings is not None and not _is_on_disk(work):
        raise ValueError("--resume goes by files on disk; leave it out with addresses")
    return batch.record_of(work.output, settings, resume, report)
