"""Memory as a budget: as users write it, what pictures take of it, and how they share it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from animatte.images.arrays import ImageError

# Measured: Python with its libraries, a small network's weights and sessions.
BASE = 250 * 10**6
# A photo being cut, at its most: levels, alpha, estimated colours, and the encoder's copy.
_BYTES_A_PIXEL = {8: 12, 16: 20}
_BYTES_OF_OWN_ALPHA = 4  # the matte without it
# What a network's activations take for a pixel that it is shown.
_SMALL_NETWORK, _LARGE_NETWORK = 700, 3500
_SMALL_PARAMETERS = 10**7
# What photos that are cut at a time may take together where nothing else is said.
DEFAULT_SHARED = 15 * 10**8
_UNITS = {"": 0, "K": 3, "M": 6, "G": 9}


def parsed_memory(text: str) -> int:
    """Read an amount of memory, such as 800MB, 1.5GB or 2G.

    Returns:
        bytes.

    Raises:
        ValueError: if it is none, or too little for anything.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]?)i?B?\s*", text, re.IGNORECASE)
    if not found:
        raise ValueError(f"memory {text!r} is not understood; write an amount such as 800MB or 2GB")
    amount = round(float(found[1]) * 10.0 ** _UNITS[found[2].upper()])
    if amount < BASE + 50 * 10**6:
        raise ValueError(
            f"memory {text} is too little: without any photo it takes {_text(BASE)}; give at "
            f"least {_text(BASE + 50 * 10**6)}"
        )
    return amount


def network_bytes(pixels: int, parameters: int) -> int:
    """What a network needs for the pixels it is shown at once."""
    return pixels * (_SMALL_NETWORK if parameters < _SMALL_PARAMETERS else _LARGE_NETWORK)


def network_pixels(budget: int, parameters: int) -> int:
    """What a network may be shown at once so that it takes half of what a budget leaves."""
    return (budget - BASE) // 2 // network_bytes(1, parameters)


def photo_bytes(pixels: int, bit_depth: int, has_alpha: bool = False) -> int:
    """What cutting a photo takes at its most, besides the network.

    Args:
        pixels: of the photo.
        bit_depth: of the result.
        has_alpha: the photo has one of its own.
    """
    return pixels * (_BYTES_A_PIXEL[bit_depth] + has_alpha * _BYTES_OF_OWN_ALPHA)


@contextmanager
def fitting_into_memory(name: object) -> Iterator[None]:
    """Where memory ends in the block, one line about the photo of this name.

    Raises:
        ImageError: instead of a MemoryError.
    """
    try:
        yield
    except MemoryError as error:
        raise ImageError(
            f"{name} does not fit into memory; close other programs, or make the photo smaller; "
            "of several photos cut one at a time, with --jobs 1"
        ) from error


class SharedMemory:
    """An amount of memory that threads take parts of, and wait for.

    Args:
        amount: bytes.
        is_hard: refuse what is larger than the whole; else it is let in alone.
    """

    def __init__(self, amount: int, is_hard: bool) -> None:
        self._amount = amount
        self._is_hard = is_hard
        self._taken = 0
        self._is_closed = False
        self._changed = Condition()

    def close(self) -> None:
        """Let nobody in any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    @contextmanager
    def taken(self, needed: int) -> Iterator[None]:
        """Wait until there is room, and have it while the block runs.

        Raises:
            ValueError: if there never will be.
            RuntimeError: if it was closed before there was.
        """
        if self._is_hard and needed > self._amount:
            raise ValueError(
                f"it takes about {_text(needed)}, and --memory leaves {_text(self._amount)} for "
                "photos beside the network; give more, or make the photo smaller"
            )
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_closed or self._taken == 0 or self._taken + needed <= self._amount
            )
            if self._is_closed:
                raise RuntimeError("nothing more is begun")
            self._taken += needed
        try:
            yield
        finally:
            with self._changed:
                self._taken -= needed
                self._changed.notify_all()


def _text(amount: int) -> str:
    return f"{-(-amount // 10**6)} MB"
