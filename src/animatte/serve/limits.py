"""What a server takes on, so that no request and no crowd of them exhausts the machine."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, fields


@dataclass(frozen=True)
class Limits:
    """Bounds of a server: at most `workers` photos and `workers` + `queue` bodies in memory.

    Attributes:
        body: bytes of a request's body.
        pixels: of a photo.
        upload_seconds: to receive a body, so that a slow client gives its place back.
        wait: expected until a worker is free; a photo that would wait longer is told to come again.
        seconds: to cut a photo, from when a worker takes it.
        workers: photos cut at the same time.
        queue: requests that wait for a worker; one more is told to come again.
    """

    body: int = 50_000_000
    pixels: int = 50_000_000
    upload_seconds: float = 30.0
    wait: float = 30.0
    seconds: float = 120.0
    workers: int = field(default_factory=lambda: max(1, (os.cpu_count() or 2) // 2))
    queue: int = 16

    def __post_init__(self) -> None:
        for each in fields(self):
            value, least = getattr(self, each.name), 0 if each.name in ("queue", "wait") else 1
            if value < least:
                raise ValueError(f"{each.name} is {value}; it must be at least {least}")
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{each.name} is {value}; it must be a finite number, like 120")
