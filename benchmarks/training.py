"""Samples a second in training: the recipe's loop, against a plain one in GFM's published order.

The network (animatte-s), the losses, the batch, the pictures (1080x1620) and the number of loader
processes are the same. The plain loop decodes with Pillow, blurs, composites, adds noise, dilates
and erodes at full size and crops then; its network learns in float32, every weight, in the
default memory layout. Ours crops before anything else, and learns the same weights in the same
precision, or as recipes/animatte-s.yaml says: bfloat16, the first blocks left alone. All are
timed in turns, since other work on the machine comes and goes.

python -m benchmarks.training [--batch 12] [--size 320] [--steps 6] [--rounds 3] [--workers 1]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from benchmarks.composition import CROPS, PICTURES, Decoded, plain_example, written_files
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import DataLoader

from animatte.data.dataset import Example
from animatte.losses import weighted_total
from animatte.models.registry import built_network, network_config
from animatte.training.devices import learner_of
from animatte.training.loading import PREFETCHED, batches, loaded
from animatte.training.logs import Reporter
from animatte.training.loop import training_step
from animatte.training.objective import loss_terms
from animatte.training.recipe import Recipe, read_recipe
from animatte.training.runs import prepared_run

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "animatte-s.yaml"
DEFAULTS = {"batch": 12, "size": 320, "steps": 6, "rounds": 3, "workers": 1}
AS_PLAIN = {"precision": "float32", "network.frozen": []}
WARM_UP = PREFETCHED + 1  # steps of each round that are not timed: what was made meanwhile
NEVER = 10**6  # more steps than any benchmark takes


class Pictures(NamedTuple):
    """What a composite is made of."""

    alpha: Path
    foreground: Path
    background: Path


class Measured(NamedTuple):
    """Of one round: samples a second, and the share of the time that was waited for them."""

    samples_per_second: float
    waiting: float


def written_data(folder: Path) -> list[Pictures]:
    """Write pictures as a recipe's source wants them."""
    for name in ("cats/image", "cats/alpha", "backgrounds"):
        (folder / name).mkdir(parents=True)
    found = []
    for number, files in enumerate(written_files(folder, np.random.default_rng(0))):
        pictures = Pictures(
            folder / f"cats/alpha/{number}.png",
            folder / f"cats/image/{number}.jpg",
            folder / f"backgrounds/{number}.jpg",
        )
        for part, path in pictures._asdict().items():
            files[part].rename(path)
        found.append(pictures)
    return found


def recipe_on(folder: Path, arguments: argparse.Namespace, **changes: Any) -> Recipe:
    """The recipe of animatte-s on the written pictures, composited as the plain loop does."""
    cats = {"folder": "cats", "replaced": 1, "foreground": "image"}
    colours = dict.fromkeys(("jitter", "grey", "dark", "noise", "jpeg", "blur"), 0)
    values: Mapping[str, Any] = {
        "network.initial": None,
        "network.initial_share": 0,
        "data.root": folder,
        "data.sources": [cats],
        "data.backgrounds": folder / "backgrounds",
        "data.composition": {"track": "rssn"},
        "data.view": {"crops": list(CROPS), "centred": 0.5, "aspect": 1, "tilt": 0, "turned": 0},
        "data.colour": colours,
        "data.empty": 0,
        "data.workers": arguments.workers,
        "stages.0.phases.0.steps": NEVER,
        "stages.0.phases.0.size": arguments.size,
        "stages.0.phases.0.batch": arguments.batch,
        "validation": None,
        **changes,
    }
    return read_recipe(RECIPE, [f"{key}={_yaml(value)}" for key, value in values.items()])


def _yaml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    return "null" if value is None else str(value)


class PlainPictures(torch.utils.data.Dataset[Example]):
    """Examples in the published order of work."""

    def __init__(self, files: list[Pictures], size: int) -> None:
        self.files = files
        self.size = size

    def __len__(self) -> int:
        return NEVER

    def __getitem__(self, index: int) -> Example:
        """Decode, composite, dilate and erode at full size, then crop and shrink."""
        paths = self.files[index % PICTURES]
        decoded = Decoded(*(np.asarray(Image.open(path)) for path in paths))
        rng = np.random.default_rng(index)
        planes = [self._resized(plane) / np.float32(255) for plane in plain_example(decoded, rng)]
        image, alpha, _, _, trimap, possible, sure = planes
        label = np.digitize(trimap, (0.25, 0.75)).astype(np.int64)
        band = ((possible > 0.5) & (sure < 0.5)).astype(np.float32)
        return Example(image, alpha[None], label, band[None], str(index))

    def _resized(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        if plane.shape[-1] != self.size:
            plane = np.asarray(cv2.resize(plane.T, (self.size, self.size)).T)
        return np.ascontiguousarray(plane, np.float32)


def plain_rounds(files: list[Pictures], recipe: Recipe, steps: int) -> Iterator[Measured]:
    """Train plainly, and yield how each round went."""
    (stage,) = recipe.stages
    (phase,) = stage.phases
    torch.manual_seed(0)
    network = built_network(network_config(recipe.network.name, recipe.network.rosta)).train()
    optimiser = torch.optim.AdamW(network.parameters(), 1e-4)
    loader = DataLoader(
        PlainPictures(files, phase.size),
        phase.batch,
        num_workers=recipe.data.workers,
        collate_fn=loaded,
    )

    def step(part: Any) -> None:
        terms = loss_terms(network, network(part.batch.image.contiguous()), part.batch, stage)
        optimiser.zero_grad()
        weighted_total(terms, stage.loss).backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    yield from timed_rounds(iter(loader), step, phase.batch, steps)


def our_rounds(recipe: Recipe, steps: int) -> Iterator[Measured]:
    """Train as `animatte train` does, and yield how each round went."""
    run = prepared_run(recipe, Path(), None, Reporter())
    (plan,) = run.plans
    learner = learner_of(run.state, run.accelerator)
    loader = batches(
        run.stream, plan.requests(0, NEVER), run.accelerator, recipe.data.workers, run.pace
    )

    def step(parts: Any) -> None:
        training_step(run, learner, plan, parts)

    yield from timed_rounds(loader, step, plan.section.phases[0].batch, steps)


def timed_rounds(
    loader: Iterator[Any], step: Callable[[Any], None], batch: int, steps: int
) -> Iterator[Measured]:
    """Time rounds of steps, the waiting for each batch included."""
    while True:
        for _ in range(WARM_UP):
            step(next(loader))
        begun, waited = time.monotonic(), 0.0
        for _ in range(steps):
            asked = time.monotonic()
            parts = next(loader)
            waited += time.monotonic() - asked
            step(parts)
        seconds = time.monotonic() - begun
        yield Measured(batch * steps / seconds, waited / seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name, default in DEFAULTS.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = written_data(Path(folder))
        recipe = recipe_on(Path(folder), arguments)
        contestants = {
            "plain": plain_rounds(files, recipe, arguments.steps),
            "animatte, the same weights and precision": our_rounds(
                recipe_on(Path(folder), arguments, **AS_PLAIN), arguments.steps
            ),
            "animatte, as its recipe says": our_rounds(recipe, arguments.steps),
        }
        found: dict[str, list[Measured]] = {name: [] for name in contestants}
        for _ in range(arguments.rounds):
            for name, rounds in contestants.items():
                found[name].append(next(rounds))
    plain = median(each.samples_per_second for each in found["plain"])
    for name, measured in found.items():
        speed = median(each.samples_per_second for each in measured)
        waiting = median(each.waiting for each in measured)
        print(
            f"{name}: {speed:.2f} samples/s, {speed / plain:.2f} times plain, "
            f"{waiting:.1%} of the time waiting for examples"
        )


if __name__ == "__main__":
    main()
