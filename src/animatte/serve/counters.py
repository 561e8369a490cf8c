"""What Prometheus is told about a server."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from animatte.serve.desk import Desk

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Counters:
    """Requests, times and pixels of one server, in a registry of its own.

    Args:
        desk: whose places are watched.
    """

    def __init__(self, desk: Desk) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "animatte_requests", "Answered requests", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "animatte_request_seconds",
            "Time from the first byte to the answer",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.pixels = Counter("animatte_pixels", "Pixels of photos cut", registry=self.registry)
        inside = Gauge("animatte_inside", "Requests taken in", registry=self.registry)
        inside.set_function(lambda: desk.inside)
        working = Gauge("animatte_working", "Photos being cut", registry=self.registry)
        working.set_function(lambda: desk.working)

        wait = Gauge(
            "animatte_wait_seconds",
            "Expected wait of a photo that comes now",
            registry=self.registry,
        )
        wait.set_function(lambda: desk.wait)

    def text(self) -> bytes:
        """In the text format of Prometheus."""
        return generate_latest(self.registry)
