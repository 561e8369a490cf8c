"""Tables of what people decided."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from animatte.data.tables import set_name
from animatte.data.verdicts import Table

HEAD = "set,name,verdict,reason\n"


def table(folder: Path, text: str, encoding: str = "utf-8") -> Table:
    path = folder / "verdicts.csv"
    path.write_bytes(text.encode(encoding))
    return Table(path, "pets")


def test_rows_of_the_set_count_and_no_others(tmp_path: Path) -> None:
    rows = 'pets,a,label,\npets,b,model,"soft, but right"\nwild,a,?,\npets,c,drop\n'
    read = table(tmp_path, HEAD + rows)
    assert [read.verdict(name) for name in "abcd"] == ["label", "model", "drop", None]
    assert len(read) == 3


@pytest.mark.parametrize(
    "text",
    [
        "name,reason,set,verdict\na,why,pets,drop\n",
        "set, name, verdict\npets, a, drop \n",
        "set,name,verdict\r\npets,a,drop\r\npets,a,drop\r\n",
    ],
)
def test_a_table_is_read_however_it_was_written(tmp_path: Path, text: str) -> None:
    for encoding in ("utf-8", "utf-8-sig"):
        read = table(tmp_path, text, encoding)
        assert (read.verdict("a"), len(read)) == ("drop", 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "pets,a,drop\npets,b,keep\n", "'keep' in line 3 is unknown; choose one of label"),
        (HEAD + "pets,a\n", "'' in line 2 is unknown"),
        ("set,verdict\npets,drop\n", "lacks the column name; its first line must be set,name"),
        ("", "lacks the column set, name, verdict"),
        (
            HEAD + "pets,a,drop\npets,b,drop\npets,a,label\n",
            "a is 'drop' in line 2 and 'label' in line 4; keep one",
        ),
    ],
)
def test_mistakes_name_their_line_and_the_remedy(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        table(tmp_path, text)
    assert str(tmp_path / "verdicts.csv") in str(caught.value)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "verdicts.csv").write_bytes(b"\x89PNG\r\n\x1a\n\xff")
    with pytest.raises(ValueError, match="no CSV file in UTF-8"):
        Table(tmp_path / "verdicts.csv", "pets")
    with pytest.raises(FileNotFoundError):
        Table(tmp_path / "nothing.csv", "pets")


def test_names_without_picture_or_label_are_refused(tmp_path: Path) -> None:
    read = table(tmp_path, HEAD + "pets,a,label\npets,y,drop\npets,b,label\npets,x,drop\n")
    images = tmp_path / "image"
    message = "2 of 4 names have no picture in .*image, the first is 'y' in line 3"
    with pytest.raises(ValueError, match=message):
        read.check(images, "abc", "ab")
    with pytest.raises(ValueError, match=r"1 of 4 names are to keep .* the first is 'b' in line 4"):
        read.check(images, "abxy", "a")
    read.check(images, "abxy", "ab")


def test_a_set_is_called_as_its_folder_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "pets").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path / "real")
    paths = (Path(), tmp_path / "pets", Path("../pets/"), tmp_path / "pets/.." / "real")
    assert [set_name(path) for path in paths] == ["real", "pets", "pets", "real"]
