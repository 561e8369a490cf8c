"""The guide's examples run, and its tables say what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animatte.metrics import PROTOCOLS

GUIDE = (Path(__file__).resolve().parents[2] / "docs/metrics.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", GUIDE, re.M | re.S)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_works_as_shown(example: str) -> None:
    rng = np.random.default_rng(0)
    names: dict[str, Any] = {
        "predicted": rng.random((20, 30)),
        "true": rng.random((20, 30)),
        "trimap": np.asarray(rng.choice([0, 128, 255], (20, 30)), np.uint8),
        "predicted_frames": rng.random((3, 20, 30)),
        "true_frames": rng.random((3, 20, 30)),
        "foreground": rng.random((20, 30, 3)),
        "true_foreground": rng.random((20, 30, 3)),
    }
    exec(example, names)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_guide_s_table_of_protocols_is_the_code_s(name: str) -> None:
    protocol = PROTOCOLS[name]
    (row,) = re.findall(rf"^\| `{name}` \|(.*)\|$", GUIDE, re.M)
    area, mean, *_, source = (cell.strip() for cell in row.split(" | "))
    assert (area, source) == (protocol.area, protocol.source)
    assert mean.startswith("mean")
    assert ("1000" in mean) == (protocol.mean_factor == 1000)
