"""The page in a real browser: Debian's chromium, run without a window."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.serve.conftest import Started, middle_predictor

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

TIMEOUT = 20_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, started: Started) -> Iterator[Any]:
    """The page, opened; `page.strangers` lists requests to any other host."""
    address = str(started(body=200_000).base_url)
    context = browser.new_context(accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(TIMEOUT)
    opened.strangers = []
    local = (address, "blob:", "data:")
    opened.on(
        "request",
        lambda request: (
            None if request.url.startswith(local) else opened.strangers.append(request.url)
        ),
    )
    opened.goto(address)
    yield opened
    assert opened.strangers == []
    context.close()


def _file(name: str, data: bytes) -> dict[str, Any]:
    return {"name": name, "mimeType": "image/png", "buffer": data}


def _downloaded(page: Any, button: str = "#download") -> tuple[str, Image.Image]:
    page.wait_for_selector("#download[href]")
    with page.expect_download() as caught:
        page.click(button)
    download = caught.value
    return download.suggested_filename, Image.open(Path(download.path())).copy()


def test_a_photo_is_uploaded_seen_and_downloaded_as_it_was_cut(
    page: Any, photo: SimpleNamespace
) -> None:
    page.set_input_files("#files", _file("dog.png", photo.data))
    name, cutout = _downloaded(page)
    assert name == "dog.cutout.png"
    expected = middle_predictor().cutout(photo.pixels)
    got = np.asarray(cutout)
    np.testing.assert_array_equal(got[:, :, 3], expected[:, :, 3])
    opaque = expected[:, :, 3] == 255
    np.testing.assert_array_equal(got[opaque], expected[opaque])
    assert "cut out" in page.text_content("#status")


def test_a_background_colour_comes_into_the_download(page: Any, photo: SimpleNamespace) -> None:
    page.set_input_files("#files", _file("dog.png", photo.data))
    page.wait_for_selector("#download[href]")
    page.fill("#colour", "#1020ff")
    page.wait_for_selector("#download[href][download*='composite']")
    name, composite = _downloaded(page)
    assert name == "dog.composite.png"
    assert composite.convert("RGBA").getpixel((0, 0)) == (0x10, 0x20, 0xFF, 255)


def test_a_background_picture_and_the_blurred_photo_fill_the_whole(
    page: Any, photo: SimpleNamespace
) -> None:
    page.set_input_files("#files", _file("dog.png", photo.data))
    page.wait_for_selector("#download[href]")
    stream = io.BytesIO()
    Image.new("RGB", (30, 90), (10, 200, 30)).save(stream, "PNG")
    page.set_input_files("#picture", _file("wall.png", stream.getvalue()))
    page.wait_for_selector("#download[href][download*='composite']")
    assert _downloaded(page)[1].convert("RGBA").getpixel((1, 1)) == (10, 200, 30, 255)
    page.check("input[value=blur]")
    corner = np.asarray(_downloaded(page)[1].convert("RGBA"))[1, 1].tolist()
    assert corner[3] == 255
    assert corner != [10, 200, 30, 255]


def test_what_the_server_refuses_is_said_and_the_next_photo_goes_on(
    page: Any, photo: SimpleNamespace
) -> None:
    files = [
        _file("broken.png", photo.data[:100]),
        _file("huge.png", bytes(300_000)),
        _file("dog.png", photo.data),
    ]
    page.set_input_files("#files", files)
    page.wait_for_selector("#list li:nth-child(3) small:text('done')")
    assert "truncated" in page.text_content("#problem")
    page.click("#list li:nth-child(2) button")
    page.wait_for_selector("#problem:has-text('0.2 MB')")
    page.click("#list li:nth-child(3) button")
    assert _downloaded(page)[0] == "dog.cutout.png"


def test_a_photo_can_be_dropped_and_pasted(page: Any, photo: SimpleNamespace) -> None:
    for kind, name in (("drop", "dropped.png"), ("paste", "pasted.png")):
        page.evaluate(
            """([kind, name, bytes]) => {
                const transfer = new DataTransfer();
                transfer.items.add(new File([new Uint8Array(bytes)], name, {type: "image/png"}));
                document.dispatchEvent(kind === "drop"
                    ? new DragEvent("drop", {dataTransfer: transfer, cancelable: true})
                    : new ClipboardEvent("paste", {clipboardData: transfer}));
            }""",
            [kind, name, list(photo.data)],
        )
        page.wait_for_selector(f"#list li:has-text('{name}') small:text('done')")


def test_keys_alone_compare_choose_and_remove(page: Any, photo: SimpleNamespace) -> None:
    page.set_input_files("#files", [_file("a.png", photo.data), _file("b.png", photo.data)])
    page.wait_for_selector("#list li:nth-child(2) small:text('done')")
    page.wait_for_selector("#download[href]")
    page.focus("#slider")
    page.keyboard.press("ArrowRight")
    assert (
        page.evaluate("document.querySelector('#stage').style.getPropertyValue('--cut')") == "51%"
    )
    page.focus("#list li:nth-child(2) button")
    page.keyboard.press("Enter")
    assert page.get_attribute("#list li:nth-child(2) button", "aria-current") == "true"
    page.focus("#remove")
    page.keyboard.press("Enter")
    assert page.locator("#list li").count() == 1


def test_every_control_has_a_name_for_screen_readers(page: Any, photo: SimpleNamespace) -> None:
    page.set_input_files("#files", [_file("a.png", photo.data), _file("b.png", photo.data)])
    page.wait_for_selector("#list li:nth-child(2) small:text('done')")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, a, canvas, img")].filter((each) =>
            !(each.textContent.trim() || each.getAttribute("aria-label") || each.hasAttribute("alt")
              || each.labels?.length)).map((each) => each.outerHTML)"""
    )
    assert nameless == []
    assert page.get_attribute("#status", "aria-live") == "polite"


def test_the_page_fits_a_phone(page: Any, photo: SimpleNamespace) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.set_input_files("#files", _file("dog.png", photo.data))
    page.wait_for_selector("#download[href]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
