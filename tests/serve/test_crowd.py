"""Large, slow and too many requests: who is refused, and that nobody inside is lost."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
from tests.serve.conftest import MiddleNetwork, PatientNetwork, Started, middle_predictor

from animatte.predictor import Predictor

PNG = {"Content-Type": "image/png"}


def test_a_body_that_grows_without_a_length_is_stopped_at_the_limit(started: Started) -> None:
    sent = 0

    def growing() -> Any:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b"\xff\xd8\xff" + b"x" * 100_000

    client = started(body=300_000)
    try:
        answer = client.post("/v1/cutout", content=growing(), headers=PNG)
        assert answer.status_code == 413
    except (httpx.WriteError, httpx.ReadError):
        pass  # the server has hung up, which is what counts
    assert sent < 1000


def test_who_sends_far_too_much_gets_to_read_why(started: Started) -> None:
    answer = started(body=1_000_000).post("/v1/cutout", content=bytes(12_000_000), headers=PNG)
    assert answer.status_code == 413
    assert "over 1 MB" in answer.json()["error"]


def test_a_photo_of_too_many_pixels_is_refused_by_its_header(
    started: Started, photo: SimpleNamespace
) -> None:
    network: Any = MiddleNetwork()
    answer = started(Predictor(network), pixels=2000).post(
        "/v1/cutout", content=photo.data, headers=PNG
    )
    assert answer.status_code == 413
    assert "2400 pixels" in answer.json()["error"]
    assert "--" not in answer.json()["error"]
    assert network.seen == 0


def test_who_sends_slowly_loses_the_place(started: Started, photo: SimpleNamespace) -> None:
    client = started(upload_seconds=1.0, workers=1, queue=0)
    address = urlsplit(str(client.base_url))
    with socket.create_connection((str(address.hostname), address.port or 0)) as slow:
        slow.sendall(
            b"POST /v1/cutout HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
            b"Content-Length: 1000\r\n\r\nabc"
        )
        slow.settimeout(10)
        assert b" 408 " in slow.recv(4096)
    assert client.post("/v1/cutout", content=photo.data, headers=PNG).status_code == 200


def test_a_full_queue_says_when_to_come_again_and_loses_nobody_inside(
    started: Started, photo: SimpleNamespace
) -> None:
    gate = threading.Event()
    client = started(middle_predictor(gate), workers=1, queue=1)
    with ThreadPoolExecutor(2) as pool:
        inside = [
            pool.submit(client.post, "/v1/cutout", content=photo.data, headers=PNG)
            for _ in range(2)
        ]
        _wait_for(client, "animatte_inside 2.0")
        refused = client.post("/v1/cutout", content=photo.data, headers=PNG)
        gate.set()
        assert [each.result().status_code for each in inside] == [200, 200]
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert "busy" in refused.json()["error"]


def test_who_would_wait_too_long_is_told_so_once_the_photo_is_seen(
    started: Started, photo: SimpleNamespace
) -> None:
    gate = threading.Event()
    client = started(middle_predictor(gate), workers=1, queue=9, wait=0)
    with ThreadPoolExecutor(1) as pool:
        inside = pool.submit(client.post, "/v1/cutout", content=photo.data, headers=PNG)
        _wait_for(client, "animatte_working 1.0")
        refused = client.post("/v1/cutout", content=photo.data, headers=PNG)
        gate.set()
        assert inside.result().status_code == 200
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert client.post("/v1/cutout", content=photo.data, headers=PNG).status_code == 200


def test_the_time_limit_does_not_count_the_wait(started: Started, photo: SimpleNamespace) -> None:
    client = started(PatientNetwork(0.4).predictor(), workers=1, queue=9, seconds=1)
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(lambda _: client.post("/v1/matte", content=photo.data, headers=PNG), range(6))
        )
    assert [answer.status_code for answer in answers] == [200] * 6


def test_who_is_refused_before_the_body_is_read_gets_to_read_why(started: Started) -> None:
    client = started(workers=1, queue=0, upload_seconds=20)
    address = urlsplit(str(client.base_url))
    head = (
        b"POST /v1/cutout HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
        b"Content-Length: 8000000\r\n\r\n"
    )
    with (
        socket.create_connection((str(address.hostname), address.port or 0)) as first,
        socket.create_connection((str(address.hostname), address.port or 0)) as second,
    ):
        first.sendall(head)
        _wait_for(client, "animatte_inside 1.0")
        second.sendall(head + bytes(8_000_000))  # far more than buffers take
        second.settimeout(10)
        assert b" 503 " in second.recv(4096)


def test_a_photo_that_takes_too_long_is_given_up_and_the_server_goes_on(
    started: Started, photo: SimpleNamespace
) -> None:
    gate = threading.Event()
    client = started(middle_predictor(gate), workers=1, queue=0, seconds=1)
    assert client.post("/v1/cutout", content=photo.data, headers=PNG).status_code == 504
    gate.set()
    _wait_for(client, "animatte_working 0.0")
    assert client.post("/v1/cutout", content=photo.data, headers=PNG).status_code == 200


def _wait_for(client: httpx.Client, line: str) -> None:
    end = monotonic() + 10
    while line not in client.get("/metrics").text:
        assert monotonic() < end, f"never {line}"
        sleep(0.02)
