"""The page of published results shows its data, row by row, and cites each source."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from animatte.metrics import PROTOCOLS

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "results.md").read_text(encoding="utf-8")
SCORES = ("sad", "mse", "mad", "grad", "conn")
SHOWN = ("method", "input", "area", *SCORES, "source", "standing")


def published() -> list[dict[str, str]]:
    with (DOCS / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def benchmarks() -> list[str]:
    return list(dict.fromkeys(row["benchmark"] for row in published()))


@pytest.mark.parametrize("benchmark", benchmarks())
def test_a_table_is_its_data(benchmark: str) -> None:
    rows = [row for row in published() if row["benchmark"] == benchmark]
    section = PAGE.split(f"\n## {benchmark}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    assert lines[1:] == [  # after the heading
        "| " + " | ".join(row[column] or "\N{EN DASH}" for column in SHOWN) + " |" for row in rows
    ]
    assert {f"`{row['protocol']}`" in section for row in rows} == {True}


@pytest.mark.parametrize("row", published(), ids=lambda row: f"{row['benchmark']} {row['method']}")
def test_a_row_has_a_protocol_a_source_and_numbers(row: dict[str, str]) -> None:
    assert row["protocol"] in PROTOCOLS
    assert f"| {row['source']} | " in PAGE
    assert f"| {row['standing']} | " in PAGE
    assert all(float(row[score]) > 0 for score in SCORES if row[score])


def test_headings_are_those_of_the_metrics() -> None:
    columns = [PROTOCOLS["gfm"].column(score).heading for score in SCORES]
    assert " | ".join(columns) in PAGE
