"""Summaries, tables and the page of a report."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.stats

from animatte.evaluation import report
from animatte.evaluation.cases import folder_pictures
from animatte.evaluation.contestants import folder_contestant
from animatte.evaluation.rows import Row, evaluated
from animatte.evaluation.scoring import Rules
from animatte.evaluation.summary import by_group, comparisons, summaries
from animatte.evaluation.tables import (
    CARD_BEGIN,
    CARD_END,
    Evaluation,
    markdown_table,
    metrics_csv,
    write_into_card,
)

RNG = np.random.default_rng(1)
VALUES = {name: RNG.gamma(2, 5 * scale, 40) for name, scale in (("one", 1), ("other", 1.4))}
ROWS = [
    Row(name, "set", f"{number}", "odd" if number % 2 else "even", {"iou": 1 / value, "mad": value})
    for name, values in VALUES.items()
    for number, value in enumerate(values.tolist())
]


def test_a_mean_s_interval_is_that_of_another_bootstrap() -> None:
    (found,) = (
        each for each in summaries(ROWS) if (each.contestant, each.metric) == ("one", "mad")
    )
    assert found.count == 40
    assert found.interval.mean == pytest.approx(VALUES["one"].mean())
    assert found.median == pytest.approx(np.median(VALUES["one"]))
    reference = scipy.stats.bootstrap(
        (VALUES["one"],), np.mean, method="percentile", rng=np.random.default_rng(5)
    ).confidence_interval
    assert found.interval.low == pytest.approx(reference.low, rel=0.03)
    assert found.interval.high == pytest.approx(reference.high, rel=0.03)


def test_intervals_are_those_of_their_seed() -> None:
    assert summaries(ROWS, seed=3) == summaries(ROWS, seed=3)
    assert summaries(ROWS, seed=3) != summaries(ROWS, seed=4)
    assert list(comparisons(ROWS, seed=3)) == list(comparisons(ROWS, seed=3))


def test_classes_are_summed_up_apart() -> None:
    found = by_group(ROWS)["set"]
    assert list(found) == ["even", "odd"]
    mean = next(each for each in found["odd"] if each.metric == "mad").interval.mean
    assert mean == pytest.approx(VALUES["one"][1::2].mean())


def test_two_models_are_compared_on_the_pictures_that_both_have() -> None:
    found = {each.metric: each for each in comparisons([*ROWS[5:], ROWS[0]])}
    mad = found["mad"]
    ones, others = (np.delete(VALUES[name], [1, 2, 3, 4]) for name in ("one", "other"))
    assert (mad.one, mad.other, mad.count) == ("one", "other", 36)
    assert mad.result.difference == pytest.approx((ones - others).mean())
    assert mad.result.better == int((ones < others).sum())
    # Of IoU more is better: here it is 1 / MAD, so each picture has the same winner.
    assert found["iou"].result.better == mad.result.better


def told(folder: Path, predictions: Path, kept: Path, *, both: bool = True) -> Evaluation:
    sets = [folder_pictures(folder)]
    shifted = predictions.parent / "shifted"
    shifted.mkdir(exist_ok=True)
    for path in predictions.iterdir():
        pixels = cv2.imread(str(path))
        assert pixels is not None
        cv2.imwrite(str(shifted / path.name), np.roll(pixels, 3, axis=1))
    entered = [folder_contestant(each) for each in (predictions, shifted)[: 1 + both]]
    rules = Rules("gfm")
    rows, faults = evaluated(sets, entered, rules, kept=kept, jobs=1)
    return report.summed_up(sets, entered, rules, rows=rows, faults=faults)


def test_the_csv_has_a_row_a_picture_and_model(
    folder: Path, predictions: Path, tmp_path: Path
) -> None:
    evaluation = told(folder, predictions, tmp_path / "kept")
    lines = list(csv.DictReader(io.StringIO(metrics_csv(evaluation.rows))))
    assert len(lines) == 12
    assert lines[0]["model"] == "blurred"
    assert lines[0]["class"] == "cat"
    assert float(lines[3]["sad_transition"]) == pytest.approx(
        evaluation.rows[3].scores["sad_transition"]
    )


def test_the_markdown_table_has_the_means_by_the_protocol_s_scale(
    folder: Path, predictions: Path, tmp_path: Path
) -> None:
    evaluation = told(folder, predictions, tmp_path / "kept")
    table = markdown_table(evaluation).splitlines()
    headings, first = ([cell.strip() for cell in table[line].split("|")] for line in (0, 2))
    mean = np.mean([row.scores["mad"] for row in evaluation.rows if row.contestant == "blurred"])
    assert first[1] == "blurred"
    assert first[headings.index("MAD·10³")].startswith(f"{mean * 1000:.2f} (")


def test_a_card_s_table_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text(f"# Card\n\n{CARD_BEGIN}\nold\n{CARD_END}\n\nend\n")
    for _ in range(2):
        write_into_card(card, "| new |\n")
    assert card.read_text() == f"# Card\n\n{CARD_BEGIN}\n\n| new |\n\n{CARD_END}\n\nend\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        CARD_BEGIN,
        f"{CARD_END}{CARD_BEGIN}",
        f"{CARD_BEGIN}{CARD_END}{CARD_BEGIN}{CARD_END}",
        f"{CARD_BEGIN}{CARD_BEGIN}{CARD_END}",
    ],
)
def test_a_card_without_one_place_for_the_table_is_left_alone(tmp_path: Path, text: str) -> None:
    card = tmp_path / "card.md"
    card.write_text(text)
    with pytest.raises(ValueError, match="not one place"):
        write_into_card(card, "new")
    assert card.read_text() == text


class Page(HTMLParser):
    """What a page is made of."""

    VOID = ("meta", "img", "input", "br", "link", "path", "use")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def written_page(evaluation: Evaluation, folder: Path, gallery: int = 4) -> str:
    report.write_report(folder, evaluation, gallery)
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def page(folder: Path, predictions: Path, tmp_path: Path) -> str:
    evaluation = told(folder, predictions, tmp_path / "report" / report.KEPT)
    return written_page(evaluation, tmp_path / "report")


def test_the_page_is_whole_and_asks_for_nothing_outside_itself(page: str) -> None:
    found = Page(page)
    assert found.open == []
    for _, attributes in found.tags:
        for name, value in attributes.items():
            if name in ("src", "href", "xlink:href", "srcset", "action", "data", "poster"):
                assert re.match(r"data:image/webp;base64,|#", value or "")
    assert not found.all("link")
    assert not re.search(r"url\((?!#)|@import|fetch\(|XMLHttpRequest", page)
    # Names of XML's languages and nothing else look like addresses.
    addresses = set(re.findall(r"https?://[^\s\"'<)]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    (policy,) = (each for each in found.all("meta") if "http-equiv" in each)
    assert "default-src 'none'" in f"{policy['content']}"


def test_the_page_can_be_used_by_keyboard_and_by_ear(page: str) -> None:
    found = Page(page)
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    for link in found.all("a"):
        assert f"{link['href']}".removeprefix("#") in ids
    sliders = found.all("input")
    assert len(sliders) == 4
    assert all(each["type"] == "range" and each["aria-label"] for each in sliders)
    assert all("alt" in each for each in found.all("img"))
    assert {each["name"] for each in found.all("meta") if "name" in each} >= {"viewport"}


def test_the_gallery_has_the_worst_pictures_of_each_model(
    folder: Path, predictions: Path, tmp_path: Path
) -> None:
    evaluation = told(folder, predictions, tmp_path / "report" / report.KEPT)
    text = written_page(evaluation, tmp_path / "report", gallery=2)
    worst = {
        max(
            (row for row in evaluation.rows if row.contestant == name),
            key=lambda row: row.scores["mad"],
        ).picture
        for name in ("blurred", "shifted")
    }
    titles = re.findall(r"<article.*?<h3>(\S+)", text, re.DOTALL)
    assert worst <= set(titles)
    assert len(titles) == 2
    ranks = [json.loads(each)["blurred"] for each in re.findall(r"data-ranks='(.*?)'", text)]
    assert ranks == sorted(ranks, reverse=True)
    labels = [
        "photo",
        "truth",
        *(
            f"{view} of {name}"
            for name in ("blurred", "shifted")
            for view in ("prediction", "error")
        ),
    ]
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", text)
    assert captions == labels * 2


def test_names_cannot_write_into_the_page(folder: Path, predictions: Path, tmp_path: Path) -> None:
    strange = "<b>&'x"
    for part in (folder / "image", folder / "alpha", folder / "trimap", predictions):
        (part / "cat_1.png").rename(part / f"{strange}.png")
    evaluation = told(folder, predictions, tmp_path / "report" / report.KEPT, both=False)
    text = written_page(evaluation, tmp_path / "report", gallery=6)
    assert "<b>&" not in text
    assert "&lt;b&gt;&amp;&#39;x" in text
    assert Page(text).open == []


def test_a_report_of_the_same_run_has_the_same_bytes(
    folder: Path, predictions: Path, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        evaluation = told(folder, predictions, tmp_path / name / report.KEPT)
        report.write_report(tmp_path / name, evaluation, 3)
    for name in ("metrics.csv", "summary.json", "table.md", "report.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_report_without_a_page_needs_no_extra(
    folder: Path, predictions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("animatte.extras.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"animatte\[report\]"):
        report.check_report(tmp_path / "report", with_page=True)
    report.check_report(tmp_path / "report", with_page=False)
    evaluation = told(folder, predictions, tmp_path / "kept", both=False)
    report.write_report(tmp_path / "report", evaluation, None)
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names == {"metrics.csv", "summary.json", "table.md"}
