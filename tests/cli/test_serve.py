from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from animatte.cli import app
from animatte.images import encoded_image

RUN = [sys.executable, "-m", "animatte", "serve"]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_serve_says_where_it_listens_answers_and_ends_cleanly(stop: signal.Signals) -> None:
    with subprocess.Popen([*RUN, "--port", "0"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"animatte-s on cpu: (http://127\.0\.0\.1:\d+)", line)
        assert found, line
        pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
        answer = httpx.post(
            found[1] + "/v1/cutout",
            content=encoded_image(".png", pixels),
            headers={"Content-Type": "image/png"},
            timeout=60,
        )
        assert answer.status_code == 200
        os.kill(process.pid, stop)
        process.wait(30)
        assert "Traceback" not in process.stderr.read()


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*RUN, "--port", str(port)], check=False, capture_output=True, text=True
        )
    assert done.returncode == 1
    assert re.fullmatch(rf"error: 127\.0\.0\.1:{port} cannot be .*--port\n", done.stderr)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("animatte.extras.find_spec", lambda _: None)
    done = CliRunner().invoke(app, ["serve"])
    assert done.exit_code == 1
    assert "pip install 'animatte[serve]'" in done.stderr
