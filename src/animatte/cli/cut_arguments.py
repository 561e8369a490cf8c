"""What `animatte cut` is told on the command line, one name an argument."""

from __future__ import annotations

from typing import Annotated

import typer

Photos = Annotated[
    list[str],
    typer.Argument(
        metavar="PHOTO|DIR|-",
        help="Photos to cut out, folders of them, or - for standard input.",
        show_default=False,
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT|-",
        help="Folder for the results, or the file for a single one, or - for standard output. "
        "Default: beside the photo.",
    ),
]
WantsMatte = Annotated[
    bool, typer.Option("--matte", help="Write the alpha alone, as a grey picture.")
]
WantsTrimap = Annotated[
    bool, typer.Option("--trimap", help="Write background, unknown and foreground: 0, 128, 255.")
]
BackgroundText = Annotated[
    str | None,
    typer.Option(
        metavar="COLOUR|FILE|blur",
        help="Write the subject on a colour, on a picture, or on the photo blurred.",
    ),
]
FormatName = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="png, webp, png16, tiff16, or with --background jpg. Default: the suffix of OUT, "
        "else png.",
    ),
]
Straighten = Annotated[
    str,
    typer.Option(
        metavar="WHEN|DEGREES",
        help="Turn photos upright for the network: never, auto, always, or by degrees "
        "counter-clockwise.",
    ),
]
Zoom = Annotated[
    str,
    typer.Option(
        metavar="WHEN", help="Look again at small subjects, closely: never, auto or always."
    ),
]
AspectText = Annotated[
    str | None,
    typer.Option(metavar="W:H", help="The true proportions of squeezed photos, as 16:9."),
]
SubjectName = Annotated[
    str, typer.Option(metavar="WHICH", help="Of several subjects: all, or the largest alone.")
]
PointText = Annotated[
    str | None, typer.Option(metavar="X,Y", help="Keep the subject at this place alone.")
]
BoxText = Annotated[
    str | None,
    typer.Option(metavar="X0,Y0,X1,Y1", help="Keep the subject in this box alone."),
]
WantsCrop = Annotated[bool, typer.Option("--crop", help="Cut the result to the subject.")]
MarginText = Annotated[
    str | None,
    typer.Option(
        metavar="N|N%",
        help="With --crop, what is left around: pixels, or of the subject's longer side. "
        "Default: 5%.",
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option(metavar="PATTERN", help="Of folders, take only what matches, as '*.jpg'."),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(metavar="PATTERN", help="Of folders, leave out what matches, as 'raw/*'."),
]
JobCount = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Photos under way at a time. Default: one a core."),
]
EngineName = Annotated[
    str,
    typer.Option(metavar="NAME", help="local, or ray: workers of this machine or of a cluster."),
]
Memory = Annotated[
    str | None,
    typer.Option(metavar="AMOUNT", help="Keep to this much memory, such as 1GB."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Skip what an earlier run made, whole and the same.")
]
ReportFile = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="Write what was done, one line of JSON a photo; - for standard output."
    ),
]
MaxPixels = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Accept photos of up to N pixels.")
]
Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", help="Say which model and device are used.")
]
