"""Outlines drawn over labels and mattes while a source is made."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.matte_world import HEIGHT, WIDTH, World, contents

from animatte.data.outlines import OutlineTable, outlined
from animatte.images import read_alpha


def drawn_on(world: World, name: str, kind: str) -> OutlineTable:
    path = world.root.parent / "outlines.csv"
    corner = "0 0 400 0 400 400 0 400"
    path.write_text(f"set,name,kind,points\npets,{name},{kind},{corner}\n")
    return OutlineTable(path, "pets")


def test_outlines_are_drawn_over_labels_and_mattes_and_noticed_when_they_change(
    world: World,
) -> None:
    world.run("bare=model")
    plain = {name: read_alpha(world.output / f"alpha/{name}.png") for name in ("labelled", "bare")}
    for name in plain:
        for kind, corner in (("add", 1), ("erase", 0)):
            world.run("bare=model", outlines=drawn_on(world, name, kind))
            alpha = read_alpha(world.output / f"alpha/{name}.png")
            assert (alpha[:8, :8] == corner).all()
            assert (alpha[16:] == plain[name][16:]).all()
            world.assert_consistent()
    before = contents(world.output)
    world.run("bare=model", outlines=drawn_on(world, "bare", "erase"))
    assert world.seen == []
    assert contents(world.output) == before
    world.run("bare=model")
    for name, alpha in plain.items():
        np.testing.assert_array_equal(read_alpha(world.output / f"alpha/{name}.png"), alpha)
    with pytest.raises(ValueError, match="bare has an outline in line 2, and its verdict is drop"):
        world.run("bare=drop", outlines=drawn_on(world, "bare", "add"))


def test_what_somebody_drew_on_is_kept_although_views_disagree(world: World) -> None:
    assert world.run()["unclear"].state == "apart"
    outcome = world.run(outlines=drawn_on(world, "unclear", "add"))["unclear"]
    assert (outcome.state, outcome.agreement) == ("model", 0.0)
    world.assert_consistent()


def test_a_label_with_outlines_is_drawn_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(*arguments: Any) -> NDArray[np.float32]:
        calls.append(arguments)
        return outlined(*arguments)

    monkeypatch.setattr("animatte.data.mattes.outlined", counted)
    for runs in (1, 1):
        world.run(outlines=drawn_on(world, "labelled", "add"))
        assert len(calls) == runs
    world.label("labelled", shape=(HEIGHT, WIDTH))
    cv2.imwrite(str(world.root / "alpha/labelled.png"), np.full((HEIGHT, WIDTH), 9, np.uint8))
    world.run(outlines=drawn_on(world, "labelled", "add"))
    assert len(calls) == 2
    assert read_alpha(world.output / "alpha/labelled.png")[-1, -1] == pytest.approx(9 / 255)
