"""`animatte cut`: photos in, cut-outs, mattes or composites out."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

from animatte.cli import arguments
from animatte.cli import cut_arguments as given
from animatte.cli import cut_order as orders
from animatte.cli.cut_local import cut_files, cut_stream
from animatte.cli.cut_scaled import cut_scaled


def cut(
    photos: given.Photos,
    *,
    output: given.Output = None,
    model: arguments.Model = None,
    matte: given.WantsMatte = False,
    trimap: given.WantsTrimap = False,
    background: given.BackgroundText = None,
    output_format: given.FormatName = None,
    device: arguments.Device = "auto",
    strategy: arguments.StrategyName = None,
    refine: arguments.RefinementName = None,
    straighten: given.Straighten = "never",
    zoom: given.Zoom = "never",
    aspect: given.AspectText = None,
    subject: given.SubjectName = "all",
    point: given.PointText = None,
    box: given.BoxText = None,
    crop: given.WantsCrop = False,
    margin: given.MarginText = None,
    include: given.Include = None,
    exclude: given.Exclude = None,
    jobs: given.JobCount = None,
    engine: given.EngineName = "local",
    memory: given.Memory = None,
    resume: given.Resume = False,
    report: given.ReportFile = None,
    max_pixels: given.MaxPixels = None,
    quiet: arguments.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Cut the subject out of photos: straight alpha, clean colours, full size.

    Results are named NAME.cutout.png, NAME.matte.png, NAME.trimap.png or NAME.composite.png; those
    of a folder lie below OUT as the photos lie below the folder.

    No photo is ever overwritten; the result of an earlier run is.
    """
    from animatte.memory import parsed_memory

    looks = orders.chosen_looks(straighten, zoom, aspect)
    left = orders.chosen_margin(crop, margin)
    budget = None if memory is None else parsed_memory(memory)
    if engine not in ("local", "ray"):
        raise ValueError(f"engine {engine!r} is unknown; choose local or ray")
    order = orders.Order(
        orders.Sources(photos, output, include, exclude),
        orders.Network(model, device, strategy, refine, looks),
        orders.Content(
            output_format, matte, trimap, background, (subject, point, box), left, max_pixels
        ),
        orders.Conduct(jobs, budget, resume, report, quiet, verbose),
    )
    if orders.STREAM in (*photos, output):
        if engine == "ray":
            raise ValueError("- is one photo, and --engine ray is for many; leave the engine out")
        cut_stream(order)
    elif engine == "ray":
        cut_scaled(order)
    else:
        cut_files(order)
