from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic, sleep
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn
from numpy.typing import NDArray

from animatte.images import encoded_image
from animatte.predictor import Predictor
from animatte.serve.app import create_app
from animatte.serve.limits import Limits

Started = Callable[..., httpx.Client]


class MiddleNetwork:
    """Finds a subject in the middle of every photo, as fast or slowly as `gate` lets it."""

    name, rosta, stride, device = "middle", "TT", 32, "cpu"

    def __init__(self, gate: threading.Event | None = None) -> None:
        self.gate = gate
        self.seen = 0
        self.card: dict[str, Any] = {}

    def glance(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        self.seen += 1
        if self.gate is not None:
            self.gate.wait(20)
        classes = np.zeros((3, *image.shape[:2]), np.float32)
        middle = tuple(slice(side // 4, 3 * side // 4) for side in image.shape[:2])
        classes[0] = 1
        classes[0][middle], classes[2][middle] = 0, 1
        return classes

    def focus(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.full(image.shape[:2], 0.5, np.float32)

    def glance_and_focus(
        self, image: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self.glance(image), self.focus(image)


class PatientNetwork(MiddleNetwork):
    """Takes its time for each photo."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def glance(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        sleep(self.seconds)
        return super().glance(image)

    def predictor(self) -> Predictor:
        network: Any = self
        return Predictor(network)


def middle_predictor(gate: threading.Event | None = None) -> Predictor:
    network: Any = MiddleNetwork(gate)
    return Predictor(network)


@contextmanager
def running(predictor: Predictor, limits: Limits) -> Iterator[str]:
    """A real server on a free port; yields its address."""
    config = uvicorn.Config(create_app(predictor, limits), port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        end = monotonic() + 20
        while not server.started:
            assert thread.is_alive() and monotonic() < end
            sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def started() -> Iterator[Started]:
    """Starts a server and returns a client of it: `started(predictor=..., body=...)`."""
    with ExitStack() as stack:

        def start(predictor: Predictor | None = None, **limits: Any) -> httpx.Client:
            address = stack.enter_context(
                running(predictor or middle_predictor(), Limits(**limits))
            )
            return stack.enter_context(httpx.Client(base_url=address, timeout=30))

        yield start


@pytest.fixture
def photo() -> SimpleNamespace:
    """A photo of 40 × 60 pixels: `.pixels` and, as a PNG, `.data`."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    return SimpleNamespace(pixels=pixels, data=encoded_image(".png", pixels))
