"""What `animatte video` is told on the command line, one name an argument."""

from __future__ import annotations

from typing import Annotated

import typer

ClipName = Annotated[
    str,
    typer.Argument(metavar="IN", help="A film, a folder of pictures, or a pattern like %05d.png."),
]
Output = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="The result: .mov, .webm, .mp4, .mkv, a folder or a pattern like out/%05d.png.",
        show_default=False,
    ),
]
WantsMatte = Annotated[bool, typer.Option("--matte", help="Write the alpha alone, in grey.")]
BackgroundText = Annotated[
    str | None,
    typer.Option(
        metavar="COLOUR|FILE|blur",
        help="Write the subject on a colour, on a picture, or on the film blurred.",
    ),
]
SideBySide = Annotated[
    bool,
    typer.Option("--side-by-side", help="Write film, matte and composite beside each other."),
]
FormatName = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="prores, vp9, h264, png or png16. Default: by the suffix of OUT.",
    ),
]
Stabilise = Annotated[
    str,
    typer.Option(metavar="HOW", help="Against flicker: flow, delay, or none to turn it off."),
]
Start = Annotated[str | None, typer.Option(metavar="TIME", help="Begin here: seconds or H:MM:SS.")]
End = Annotated[
    str | None, typer.Option(metavar="TIME", help="End before this: seconds or H:MM:SS.")
]
Rate = Annotated[
    str | None,
    typer.Option(metavar="RATE", help="Pictures per second, where IN is pictures. Default: 25."),
]
PreviewStep = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, help="Write a contact sheet of every N-th frame to OUT, a .png."
    ),
]
WantsAudio = Annotated[bool, typer.Option("--audio/--no-audio", help="Keep the sound.")]
Resume = Annotated[
    bool,
    typer.Option("--resume/--no-resume", help="Go on where the same command was stopped before."),
]
StrategyName = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="How frames are seen. Default: the model's own."),
]
