"""The server's answers: what is cut, what is refused, and what it tells of itself."""

from __future__ import annotations

import io
import re
import socket
import tempfile
from time import monotonic, sleep
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from tests.serve.conftest import Started, middle_predictor

from animatte.confidence import Calibration
from animatte.images import read_alpha, read_photo
from animatte.predictor import Predictor

PNG = {"Content-Type": "image/png"}


def test_cutout_is_the_photo_with_the_alpha_that_the_predictor_finds(
    started: Started, photo: SimpleNamespace
) -> None:
    answer = started().post("/v1/cutout", content=photo.data, headers=PNG)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    cutout = read_photo(answer.content)
    assert cutout.size == (40, 60)
    expected = middle_predictor().cutout(photo.pixels)
    got = np.asarray(Image.open(io.BytesIO(answer.content)))
    np.testing.assert_array_equal(got, expected)


def test_matte_is_the_alpha(started: Started, photo: SimpleNamespace) -> None:
    answer = started().post("/v1/matte", content=photo.data, headers=PNG)
    alpha = middle_predictor().alpha(photo.pixels)
    np.testing.assert_allclose(read_alpha(answer.content), alpha, atol=0.51 / 255)


def test_a_form_and_a_raw_body_give_the_same(started: Started, photo: SimpleNamespace) -> None:
    client = started()
    raw = client.post("/v1/cutout", content=photo.data, headers=PNG)
    form = client.post("/v1/cutout", files={"photo": ("a.png", photo.data, "image/png")})
    assert raw.status_code == form.status_code == 200
    assert raw.content == form.content


@pytest.mark.parametrize(
    ("query", "media_type", "mode"),
    [
        ("format=webp", "image/webp", "RGBA"),
        ("format=tiff16", "image/tiff", None),
        ("format=jpg&background=white", "image/jpeg", "RGB"),
        ("background=blur", "image/png", "RGB"),
        ("background=%23ff0000&subject=largest", "image/png", "RGB"),
    ],
)
def test_options_of_the_query_choose_the_picture(
    started: Started, photo: SimpleNamespace, query: str, media_type: str, mode: str | None
) -> None:
    answer = started().post(f"/v1/cutout?{query}", content=photo.data, headers=PNG)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == media_type
    if mode is not None:
        assert Image.open(io.BytesIO(answer.content)).mode == mode


def test_a_crop_is_smaller_and_tells_the_size_of_the_photo(
    started: Started, photo: SimpleNamespace
) -> None:
    answer = started().post("/v1/cutout?crop=true", content=photo.data, headers=PNG)
    width, height = Image.open(io.BytesIO(answer.content)).size
    assert width < 60
    assert height < 40
    assert answer.headers["x-animatte-size"] == "60x40"
    assert answer.headers["x-animatte-empty"] == "false"
    assert "x-animatte-confidence" not in answer.headers  # the model is not calibrated


def test_a_calibrated_model_s_confidence_is_told(started: Started, photo: SimpleNamespace) -> None:
    predictor = middle_predictor()
    own = predictor.strategy
    calibration = Calibration(-1.0, 0.0, -6.0, 0.97, 0.85, own.glance, own.mirrored)
    network: Any = predictor.network
    network.card["confidence"] = calibration.as_dict()
    answer = started(Predictor(network)).post("/v1/cutout", content=photo.data, headers=PNG)
    assert 0 < float(answer.headers["x-animatte-confidence"]) < 0.97
    assert answer.headers["x-animatte-review"] == "true"


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("format=gif", "'gif'"),
        ("background=/etc/hostname", "'/etc/hostname'"),
        ("background=http://example.org/a.png", "example.org"),
        ("straighten=perhaps", "perhaps"),
        ("zoom=2", "'2'"),
        ("crop=maybe", "crop"),
        ("point=1", "point"),
        ("format=jpg", "jpg"),
    ],
)
def test_an_unknown_option_is_refused_in_one_line(
    started: Started, photo: SimpleNamespace, query: str, word: str
) -> None:
    answer = started().post(f"/v1/cutout?{query}", content=photo.data, headers=PNG)
    assert answer.status_code == 422
    assert word in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


@pytest.mark.parametrize(
    ("content", "kind", "status", "words"),
    [
        (b"hello", "image/png", 422, "not an image"),
        (b"", "image/png", 422, "empty"),
        (b"hello", "text/plain", 415, "text/plain"),
        (b"hello", "multipart/form-data", 422, "form"),
        (b"--x\r\n\r\nhello\r\n--x--\r\n", "multipart/form-data; boundary=x", 422, "form"),
        (b"x" * 3000, "image/png", 413, "0.002 MB"),
    ],
)
def test_a_body_without_a_photo_is_refused_in_one_line(
    started: Started, content: bytes, kind: str, status: int, words: str
) -> None:
    client = started(body=2000)
    answer = client.post("/v1/cutout", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert words in answer.json()["error"]


def test_a_truncated_photo_is_refused(started: Started, photo: SimpleNamespace) -> None:
    answer = started().post("/v1/cutout", content=photo.data[:-500], headers=PNG)
    assert answer.status_code == 422
    assert "truncated" in answer.json()["error"]


def test_a_form_without_the_field_names_it(started: Started, photo: SimpleNamespace) -> None:
    answer = started().post("/v1/cutout", files={"image": ("a.png", photo.data)})
    assert answer.status_code == 422
    assert "'photo'" in answer.json()["error"]


def test_nothing_is_kept_on_disk(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file")

    monkeypatch.setattr(tempfile, "_TemporaryFileWrapper", refused)
    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    pixels = np.random.default_rng(0).integers(0, 256, (800, 900, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    assert len(stream.getvalue()) > 2_000_000  # more than Starlette keeps in memory by default
    answer = started().post("/v1/matte", files={"photo": ("a.png", stream.getvalue())})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("path", "status"), [("/v1/cutout", 405), ("/v2/cutout", 404)])
def test_what_is_not_served_is_one_line_too(started: Started, path: str, status: int) -> None:
    answer = started().get(path)
    assert answer.status_code == status
    assert answer.json() == {"error": f"GET {path} is not served; /docs lists what is"}


def test_health_models_and_metrics_tell_about_the_server(
    started: Started, photo: SimpleNamespace
) -> None:
    client = started()
    assert client.get("/healthz").json()["status"] == "ok"
    models = client.get("/v1/models").json()
    assert models["served"] == "middle"
    assert models["models"][0]["name"] == "animatte-s"
    assert models["models"][0]["licence"]
    client.post("/v1/cutout", content=photo.data, headers=PNG)
    client.get("/nowhere/at/all")
    text = client.get("/metrics").text
    assert 'animatte_requests_total{route="/v1/cutout",status="200"} 1.0' in text
    assert 'route="other",status="404"' in text
    assert "nowhere" not in text
    assert "animatte_pixels_total 2400.0" in text


def counted(client: httpx.Client, status: int) -> bool:
    line = f'animatte_requests_total{{route="/v1/cutout",status="{status}"}} 1.0'
    return line in client.get("/metrics").text


@pytest.mark.parametrize("kind", ["image/png", "multipart/form-data; boundary=x"])
def test_a_client_that_leaves_is_counted_and_gives_its_place_back(
    started: Started, photo: SimpleNamespace, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    client = started()
    head = f"POST /v1/cutout HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: 9999"
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address) as connection:
        connection.sendall(f"{head}\r\n\r\n--x\r\n".encode() + photo.data[:500])
    end = monotonic() + 10
    while not counted(client, 499):
        assert monotonic() < end
        sleep(0.02)
    assert "animatte_inside 0.0" in client.get("/metrics").text
    assert capfd.readouterr().err == ""


def test_what_nobody_expected_is_counted_too(
    started: Started, photo: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("animatte.serve.app.answered", broken)
    client = started()
    answer = client.post("/v1/cutout", content=photo.data, headers={**PNG, "Connection": "close"})
    assert answer.status_code == 500
    assert counted(client, 500)


def test_the_interface_is_documented_without_another_host(started: Started) -> None:
    client = started()
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/v1/cutout", "/v1/matte", "/v1/models", "/healthz", "/metrics"} == set(paths)
    names = [each["name"] for each in paths["/v1/cutout"]["post"]["parameters"]]
    assert "format" in names
    assert "background" in names
    page = client.get("/docs").text
    links = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page)
    assert links
    assert all(link.startswith("/") for link in links)
    assert all(client.get(link).status_code == 200 for link in links)


def test_the_page_may_ask_nobody_else(started: Started) -> None:
    client = started()
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    assert "http://" not in page.text
    assert "https://" not in page.text
    for name in ("page.js", "page.css", "icon.svg"):
        assert client.get(f"/page/{name}").status_code == 200
