from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from animatte.cli import app
from animatte.listing import Filters
from animatte.outputs import FORMATS
from animatte.scale import listed_work, scaled_targets
from animatte.scale.sources import content, keep

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def trip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("trip/dog.jpg", "trip/far/dog.jpg", "trip/.hidden/cat.jpg", "cat.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    (tmp_path / "trip" / "notes.txt").write_text("no picture")
    return tmp_path


def write_list(file: Path, **columns: list[str]) -> None:
    parquet.write_table(pyarrow.table(columns), file)


def test_a_folder_of_a_store_gives_its_pictures_and_mirrors_them(trip: Path) -> None:
    address = f"file://{trip}"
    work = listed_work([f"{address}/trip/"], Filters(), f"{address}/out")
    assert work.photos == [f"{address}/trip/dog.jpg", f"{address}/trip/far/dog.jpg"]
    assert scaled_targets(work, "cutout", FORMATS["png"], []) == [
        f"{address}/out/dog.cutout.png",
        f"{address}/out/far/dog.cutout.png",
    ]


def test_filters_hold_in_stores_too(trip: Path) -> None:
    work = listed_work([f"file://{trip}/trip"], Filters(exclude=("far/*",)), "out")
    assert work.photos == [f"file://{trip}/trip/dog.jpg"]


@pytest.mark.parametrize("column", ["path", "uri"])
def test_a_parquet_list_names_paths_and_addresses_each_once(trip: Path, column: str) -> None:
    address = f"file://{trip}/trip/dog.jpg"
    write_list(trip / "list.parquet", **{column: [address, "cat.png", address, "./cat.png"]})
    work = listed_work(["list.parquet"], Filters(), "out/")
    assert work.photos == ["cat.png", address]
    assert scaled_targets(work, "matte", FORMATS["png"], []) == [
        "out/cat.matte.png",
        "out/dog.matte.png",
    ]


def test_pictures_of_one_name_do_not_share_a_result(trip: Path) -> None:
    names = [f"file://{trip}/trip/dog.jpg", f"file://{trip}/trip/far/dog.jpg"]
    work = listed_work(names, Filters(), "file:///results")
    assert len(set(scaled_targets(work, "cutout", FORMATS["png"], []))) == 2


def test_what_is_kept_at_an_address_is_read_from_it(trip: Path) -> None:
    keep(f"file://{trip}/new/folder/a.bin", b"first")
    keep(f"file://{trip}/new/folder/a.bin", b"second")
    assert content(f"file://{trip}/new/folder/a.bin") == b"second"
    assert [path.name for path in (trip / "new" / "folder").iterdir()] == ["a.bin"]


@pytest.mark.parametrize(
    ("names", "output", "message"),
    [
        (["file:///nowhere/dog.jpg"], None, "name a folder with -o"),
        (["nonsense://x/y"], "out", "is no address that pyarrow knows"),
        (["other.parquet"], "out", "one must be path or uri"),
        (["cat.parquet"], "out", "is no Parquet file"),
    ],
)
def test_what_cannot_be_listed_is_one_line(
    trip: Path, names: list[str], output: str | None, message: str
) -> None:
    write_list(trip / "other.parquet", name=["cat.png"])
    (trip / "cat.parquet").write_bytes(b"no list of pictures")
    with pytest.raises(ValueError, match=message):
        listed_work(names, Filters(), output)


def test_an_engine_that_is_not_known_is_one_line(trip: Path) -> None:
    done = CliRunner().invoke(app, ["cut", "cat.png", "--engine", "spark"])
    assert done.exit_code == 1
    assert "engine 'spark' is unknown; choose local or ray" in done.stderr


def test_a_missing_extra_is_named(trip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("animatte.extras.find_spec", lambda _: None)
    done = CliRunner().invoke(app, ["cut", "cat.png", "--engine", "ray"])
    assert done.exit_code == 1
    assert "pip install 'animatte[scale]'" in done.stderr
