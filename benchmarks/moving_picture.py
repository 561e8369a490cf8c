"""Make a film of one picture, as a camera would that moves and comes closer, with a tone as sound.

Run: `python benchmarks/moving_picture.py examples/chelsea.png clip.mp4`.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.images import read_photo

RATE = 25
_SOUND_RATE = 48_000


def moved(picture: NDArray[Any], size: tuple[int, int], turn: float) -> NDArray[Any]:
    """The picture (H, W, 3) as seen at `turn`, 0 to 1, of a round trip of the camera."""
    height, width = size
    angle = 2 * math.pi * turn
    closeness = max(height / picture.shape[0], width / picture.shape[1])
    closeness *= 1.02 + 0.2 * (1 - math.cos(angle)) / 2
    room = np.array([width, height]) / closeness
    free = np.array(picture.shape[1::-1]) - room
    corner = free * (0.5 + 0.5 * np.array([math.sin(angle), math.sin(2 * angle)]) * 0.9)
    view = np.array([[1 / closeness, 0, corner[0]], [0, 1 / closeness, corner[1]]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(
        picture, view, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(seen)


def write_moving_picture(
    picture: NDArray[Any], path: Path, size: tuple[int, int], num_frames: int
) -> None:
    """Write an H.264 film with AAC sound of a picture (H, W, 3) uint8."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("h264", rate=RATE, options={"crf": "16"})
        stream.height, stream.width = size
        stream.pix_fmt = "yuv420p"
        sound = film.add_stream("aac", rate=_SOUND_RATE, layout="mono")
        for number in range(num_frames):
            pixels = np.ascontiguousarray(moved(picture, size, number / num_frames))
            film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            film.mux(sound.encode(_tone(number)))
        film.mux(stream.encode(None))
        film.mux(sound.encode(None))


def _tone(number: int) -> av.AudioFrame:
    """The sound of one frame: a tone that swells."""
    count = _SOUND_RATE // RATE
    times = np.arange(number * count, (number + 1) * count) / _SOUND_RATE
    wave = 0.1 * np.sin(2 * np.pi * 220 * times) * np.sin(2 * np.pi * 0.5 * times) ** 2
    frame = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], "fltp", "mono")
    frame.sample_rate, frame.pts = _SOUND_RATE, number * count
    return frame


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("film", type=Path)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    picture = np.asarray(read_photo(options.picture).colour, np.uint8)
    frames = round(options.seconds * RATE)
    write_moving_picture(picture, options.film, (options.height, options.width), frames)


if __name__ == "__main__":
    main()
