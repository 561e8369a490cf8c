"""Which photos are meant by names, patterns and folders."""

from pathlib import Path

import pytest

from animatte.listing import Filters, checked_folders, listing
from animatte.outputs import FORMATS, output_paths


def photos_of(names: list[str]) -> list[Path]:
    return listing(names).photos


def test_a_photo_named_twice_is_cut_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert photos_of(["b.jpg", "a.jpg", "./b.jpg", str(tmp_path / "a.jpg")]) == [
        Path("b.jpg"),
        Path("a.jpg"),
    ]


def test_a_name_that_no_file_can_have_is_left_for_its_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("circle.jpg").symlink_to("circle.jpg")
    names = ["dog.jpg", "circle.jpg", f"{'a' * 300}.jpg"]
    photos = photos_of(names)
    assert [str(photo) for photo in photos] == names
    assert len(output_paths(photos, None, "cutout", FORMATS["png"])) == 3


def test_patterns_that_the_shell_left_are_expanded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.jpg", "a.jpg", "._a.jpg", "c.png"):
        Path(name).touch()
    Path("folder.jpg").mkdir()
    assert photos_of(["*.jpg"]) == [Path("a.jpg"), Path("b.jpg")]
    assert photos_of([str(tmp_path / "?.png")]) == [tmp_path / "c.png"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dog[1].jpg").touch()
    Path("dog1.jpg").touch()
    assert photos_of(["dog[1].jpg"]) == [Path("dog[1].jpg")]


def test_a_pattern_without_match_stays() -> None:
    assert photos_of(["no-such-*.jpg"]) == [Path("no-such-*.jpg")]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder "in" with photos at three depths, and what is none."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "in/b.jpg", "in/A.PNG", "in/notes.txt", "in/.hidden.jpg", "in/.git/x.jpg",
        "in/deep/er/c.webp", "in/deep/er/d.heic", "in/raw/e.tif",
    ):  # fmt: skip
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    return tmp_path


def paths(*names: str) -> list[Path]:
    return [Path(name) for name in names]


@pytest.mark.usefixtures("tree")
def test_a_folder_is_searched_to_the_bottom_and_its_folders_are_kept() -> None:
    found = listing(["in"])
    assert found.photos == paths("in/A.PNG", "in/b.jpg", "in/deep/er/c.webp", "in/raw/e.tif")
    assert found.below == paths(".", ".", "deep/er", "raw")
    assert found.has_folders


@pytest.mark.usefixtures("tree")
def test_what_is_no_photo_is_counted_by_its_suffix() -> None:
    assert dict(listing(["in"]).others) == {".txt": 1, ".heic": 1}


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(include=("*.png", "*.webp")), ["in/A.PNG", "in/deep/er/c.webp"]),
        (Filters(exclude=("raw/*", "A.*")), ["in/b.jpg", "in/deep/er/c.webp"]),
    ],
)
def test_filters_see_name_and_path(filters: Filters, expected: list[str]) -> None:
    assert listing(["in"], filters).photos == paths(*expected)


@pytest.mark.usefixtures("tree")
def test_the_folder_of_the_results_is_no_source() -> None:
    assert Path("in/raw/e.tif") not in listing(["in"], without=Path("in/raw")).photos


@pytest.mark.usefixtures("tree")
def test_a_photo_in_two_folders_that_are_named_is_cut_once() -> None:
    found = listing(["in/deep", "in"])
    assert len(found.photos) == len(set(found.photos)) == 4


def test_links_in_a_circle_end(tree: Path) -> None:
    (tree / "in/deep/again").symlink_to(tree / "in")
    assert len(listing(["in"]).photos) == 4


@pytest.mark.usefixtures("tree")
def test_a_folder_without_photos_says_what_it_holds() -> None:
    Path("texts").mkdir()
    Path("texts/a.txt").touch()
    with pytest.raises(ValueError, match=r"no photo was found in the folder, other files: 1 \.txt"):
        listing(["texts"])


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("output", "message"),
    [
        (None, "say with -o OUT"),
        ("in", "is the folder that is read"),
        ("./in/", "is the folder that is read"),
        ("out.png", "name a folder"),
    ],
)
def test_results_of_a_folder_need_a_folder_of_their_own(output: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked_folders(["in"], output)


@pytest.mark.usefixtures("tree")
def test_a_folder_s_output_is_a_folder_whatever_its_name() -> None:
    assert checked_folders(["in"], "out.2024") == "out.2024/"
    assert checked_folders(["in/b.jpg"], "out.2024") == "out.2024"
