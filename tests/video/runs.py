"""Whole runs, for tests of what comes out."""

from pathlib import Path
from typing import Any

from tests.video.conftest import RedPredictor

from animatte.backgrounds import Background
from animatte.video.formats import FORMATS
from animatte.video.job import VideoReport
from animatte.video.opening import opened
from animatte.video.options import VideoOptions
from animatte.video.running import cut_video, output_path

GREEN = Background(colour=(0.0, 1.0, 0.0))
UNEVEN = (0, 40, 80, 125, 200, 210, 290, 300, 400, 440)


def run(film: Path | str, output: Path, format_name: str, **changes: Any) -> VideoReport:
    predictor = changes.pop("predictor", RedPredictor())
    rate = changes.pop("rate", None)
    resume = changes.pop("resume", True)
    options = VideoOptions(FORMATS[format_name], **{"stabilise": "none", **changes})
    path = output_path(str(output), options.format)
    clip = opened(str(film), rate)
    return cut_video(predictor, clip, path, options, identity={}, resume=resume)


class Stopping(RedPredictor):
    """Fails at the ninth frame."""

    def matte(self, image: Any, /) -> Any:
        if len(self.seen) == 8:
            raise KeyboardInterrupt
        return super().matte(image)
