"""Where results go: names, folders, collisions, formats."""

from pathlib import Path

import pytest

from animatte.outputs import (
    FORMATS,
    is_same,
    line_file,
    named_format,
    names_folder,
    output_paths,
)


def _outputs(photos: list[Path], output: str | None = None, kind: str = "cutout") -> list[Path]:
    return output_paths(photos, output, kind, FORMATS["png"])


def test_a_result_goes_beside_its_photo() -> None:
    assert _outputs([Path("a/dog.jpg")]) == [Path("a/dog.cutout.png")]


@pytest.mark.parametrize("kind", ["cutout", "matte", "composite"])
def test_the_kind_of_result_is_in_its_name(kind: str) -> None:
    assert _outputs([Path("dog.jpg")], kind=kind) == [Path(f"dog.{kind}.png")]


def test_dots_in_a_name_are_kept() -> None:
    assert _outputs([Path("dog.v2.jpg")]) == [Path("dog.v2.cutout.png")]


def test_the_format_gives_the_suffix() -> None:
    assert output_paths([Path("dog.jpg")], None, "cutout", FORMATS["tiff16"]) == [
        Path("dog.cutout.tif")
    ]


@pytest.mark.parametrize("output", ["new/", "new"])
def test_a_slash_or_no_suffix_means_a_folder(output: str) -> None:
    assert _outputs([Path("dog.jpg")], output) == [Path("new/dog.cutout.png")]


def test_an_existing_folder_is_a_folder_whatever_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "results.png"
    folder.mkdir()
    assert _outputs([Path("dog.jpg")], str(folder)) == [folder / "dog.cutout.png"]


def test_what_names_a_folder_for_sure(tmp_path: Path) -> None:
    assert names_folder(str(tmp_path))
    assert names_folder("new.png/")
    assert not names_folder("new")


def test_names_of_one_file_are_known_to_be(tmp_path: Path) -> None:
    assert is_same(tmp_path / "a" / ".." / "Report.jsonl", tmp_path / "report.JSONL")
    assert not is_same(tmp_path / "report.jsonl", tmp_path / "a" / "report.jsonl")


def test_several_photos_make_the_output_a_folder() -> None:
    photos = [Path("dog.jpg"), Path("cat.jpg")]
    assert _outputs(photos, "trip.2024") == [
        Path("trip.2024/dog.cutout.png"),
        Path("trip.2024/cat.cutout.png"),
    ]


def test_one_photo_may_name_its_file() -> None:
    assert _outputs([Path("dog.jpg")], "new/rex.png") == [Path("new/rex.png")]


def test_one_file_for_several_photos_is_refused() -> None:
    with pytest.raises(ValueError, match=r"rex\.png is one file, but there are 2 photos"):
        _outputs([Path("dog.jpg"), Path("cat.jpg")], "rex.png")


def test_a_file_where_a_folder_is_needed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes").touch()
    with pytest.raises(ValueError, match="is a file, not a folder"):
        _outputs([Path("dog.jpg")], str(tmp_path / "notes"))


def test_the_photo_itself_is_refused_as_output() -> None:
    with pytest.raises(ValueError, match="is a file to be read"):
        _outputs([Path("dog.png")], "./dog.png")


def test_a_result_does_not_take_the_place_of_another_file_that_is_read() -> None:
    photos, kept = [Path("dog.png")], [Path("dog.composite.png")]
    assert output_paths(photos, None, "composite", FORMATS["png"], kept=kept) == [
        Path("dog-2.composite.png")
    ]
    with pytest.raises(ValueError, match="is a file to be read"):
        output_paths(photos, "./dog.composite.png", "composite", FORMATS["png"], kept=kept)


def test_photos_of_one_name_get_numbers_in_the_order_given() -> None:
    photos = [Path("a/dog.jpg"), Path("b/dog.jpg"), Path("b/dog.png")]
    assert [path.name for path in _outputs(photos, "out/")] == [
        "dog.cutout.png",
        "dog-2.cutout.png",
        "dog-3.cutout.png",
    ]


def test_jpg_and_png_side_by_side_do_not_collide() -> None:
    assert _outputs([Path("dog.jpg"), Path("dog.png")]) == [
        Path("dog.cutout.png"),
        Path("dog-2.cutout.png"),
    ]


def test_names_that_differ_in_case_only_do_not_collide() -> None:
    assert [path.name for path in _outputs([Path("dog.jpg"), Path("Dog.jpg")], "out/")] == [
        "dog.cutout.png",
        "Dog-2.cutout.png",
    ]


def test_a_number_that_another_photo_has_in_its_name_is_passed_over() -> None:
    photos = [Path("a/dog-2.jpg"), Path("a/dog.jpg"), Path("b/dog.jpg")]
    names = [path.name for path in _outputs(photos, "out/")]
    assert names == ["dog-2.cutout.png", "dog.cutout.png", "dog-3.cutout.png"]


def test_a_result_does_not_take_the_place_of_a_photo() -> None:
    photos = [Path("dog.png"), Path("dog.cutout.png")]
    assert _outputs(photos) == [Path("dog-2.cutout.png"), Path("dog.cutout.cutout.png")]


@pytest.mark.parametrize(
    ("name", "output", "expected"),
    [
        (None, None, "png"),
        (None, "out/", "png"),
        (None, "rex.webp", "webp"),
        (None, "rex.TIFF", "tiff16"),
        (None, "rex.jpeg", "jpg"),
        ("PNG16", None, "png16"),
        ("png16", "rex.png", "png16"),
        ("webp", "out", "webp"),
    ],
)
def test_format_by_name_else_by_suffix_else_png(
    name: str | None, output: str | None, expected: str
) -> None:
    assert named_format(name, output, 1).name == expected


def test_format_and_suffix_must_agree() -> None:
    with pytest.raises(ValueError, match=r"rex\.png is not a webp file"):
        named_format("webp", "rex.png", 1)


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'gif' is unknown; choose one of png, webp, png16"):
        named_format("gif", None, 1)


def test_an_unknown_suffix_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'\.gif' is unknown; choose one of \.png, \.webp"):
        named_format(None, "rex.gif", 1)


def test_results_of_a_folder_mirror_it_and_do_not_collide() -> None:
    photos = [Path("in/a/dog.jpg"), Path("in/a/dog.png"), Path("in/b/dog.jpg")]
    below = [Path("a"), Path("a"), Path("b")]
    assert output_paths(photos, "out/", "cutout", FORMATS["png"], below=below) == [
        Path("out/a/dog.cutout.png"),
        Path("out/a/dog-2.cutout.png"),
        Path("out/b/dog.cutout.png"),
    ]


def test_lines_are_added_behind_what_a_kill_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"a": 1}\n{"b":')
    for number in (2, 3):
        with line_file(path, append=True) as write:
            write({"c": number})
    assert path.read_bytes() == b'{"a": 1}\n{"b":\n{"c": 2}\n{"c": 3}\n'
