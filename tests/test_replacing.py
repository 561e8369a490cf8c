"""Files that appear whole or not at all."""

from pathlib import Path

import pytest

from animatte.replacing import written_beside


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    target.write_text("before")
    with written_beside(target) as beside:
        beside.write_text("after")
        assert beside.parent == tmp_path
        assert target.read_text() == "before"
    assert target.read_text() == "after"
    assert names(tmp_path) == ["model.onnx"]


@pytest.mark.parametrize("stop", [ValueError, OSError, KeyboardInterrupt])
def test_what_fails_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, stop: type[BaseException]
) -> None:
    target = tmp_path / "model.onnx"
    target.write_text("before")
    with pytest.raises(stop), written_beside(target) as beside:
        beside.write_text("half of it")
        raise stop
    assert target.read_text() == "before"
    assert names(tmp_path) == ["model.onnx"]


def test_what_a_killed_run_left_is_written_over(tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    with written_beside(target) as beside:
        beside.write_text("of a run that is killed")
        left = beside.read_bytes()
    beside.write_bytes(left)
    with written_beside(target) as again:
        assert again == beside
        again.write_text("whole")
    assert target.read_text() == "whole"
    assert names(tmp_path) == ["model.onnx"]


def test_two_writers_of_one_file_may_name_a_file_each(tmp_path: Path) -> None:
    target = tmp_path / "cat.png"
    with (
        written_beside(target, tmp_path / ".one") as one,
        written_beside(target, tmp_path / ".other") as other,
    ):
        one.write_text("one")
        other.write_text("other")
    assert target.read_text() == "one"  # which was the last to take its place
    assert names(tmp_path) == ["cat.png"]


def test_nothing_written_is_an_error_and_keeps_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    target.write_text("before")
    with pytest.raises(FileNotFoundError), written_beside(target):
        pass
    assert target.read_text() == "before"


def test_a_folder_in_the_way_stays_and_the_file_goes(tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    target.mkdir()
    with pytest.raises(OSError), written_beside(target) as beside:
        beside.write_text("whole")
    assert names(tmp_path) == ["model.onnx"]
    assert target.is_dir()
