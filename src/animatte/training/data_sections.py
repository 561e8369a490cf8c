"""The part of a recipe that says what is trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from animatte.data.composition import TRACKS, CompositionConfig, TrackName
from animatte.data.registry import named_dataset
from animatte.training.section import Fraction, Positive, Probability, Section


class SourceSection(Section):
    """Pictures drawn from together: `folder/image`, `folder/alpha`, or a published data set.

    Attributes:
        folder: relative to the data section's root.
        dataset: a key of `animatte.data.registry.DATASETS` that lies in the folder as published.
        split: of the data set; null for its first.
        weight: share of the examples relative to the other sources.
        replaced: probability of another background; null for the composition track's.
        per_epoch: how often each picture counts in an epoch, as where each foreground is
            composited onto a hundred backgrounds.
        exclude: beginnings of names that are left out.
        only: a CSV file with the columns set and name, relative to where the command runs; of the
            folder's pictures those are taken that it names under the folder's own name. For giving
            hard ones more weight.
        fur: probability that fur is grown on the alpha; for hard masks.
        foreground: folder beside `image` with the foregrounds' own colours; null estimates them.
        denoised: folder beside `image` with denoised foregrounds.
        drawn: how many pictures are drawn into the folder where there is none yet, to try a
            training without any data; see `animatte.data.drawings`.
    """

    folder: Path
    dataset: str | None = None
    split: str | None = None
    weight: Fraction = 1.0
    replaced: Probability | None = None
    per_epoch: Positive = 1
    exclude: tuple[str, ...] = ()
    only: Path | None = None
    fur: Probability = 0.0
    foreground: str | None = None
    denoised: str | None = None
    drawn: Positive | None = None

    @model_validator(mode="after")
    def _is_a_known_split(self) -> SourceSection:
        if self.dataset is not None:
            named_dataset(self.dataset).split(self.split)
        elif self.split is not None:
            raise ValueError(f"split is {self.split!r} of no data set; give dataset too")
        return self


class CompositionSection(Section):
    """How pictures come onto other backgrounds; see `animatte.data.composition.CompositionConfig`.

    Attributes:
        track: "views" (ours), "rssn", "coco", "dim" or "ori"; what is null below is the track's.
        num_backgrounds: that a foreground meets; 0 for all.
        stacked: probability of a second foreground behind the first.
        resolution: probability of a background that need not be enlarged.
        sharpness: probability of a background out of focus.
        semantic: probability of a background from `data.backgrounds` instead of `objects`.
        denoised: probability of denoised layers, where they are given.
        noise: probability of Gaussian noise.
        pasted: probability of another subject pasted in front.
        hidden: probability of something lifeless pasted in front.
        nested: probability of something that the subject lies in or on.
        objects: folder of backgrounds that may show anything, as COCO.
        denoised_backgrounds: folder of denoised backgrounds, of the same names.
    """

    track: TrackName = "views"
    num_backgrounds: Annotated[int, Field(ge=0)] | None = None
    stacked: Probability | None = None
    resolution: Probability | None = None
    sharpness: Probability | None = None
    semantic: Probability | None = None
    denoised: Probability | None = None
    noise: Probability | None = None
    pasted: Probability | None = None
    hidden: Probability | None = None
    nested: Probability | None = None
    objects: Path | None = None
    denoised_backgrounds: Path | None = None

    @property
    def config(self) -> CompositionConfig:
        """The track with the switches that are given."""
        switches = self.model_dump(exclude={"track", "objects", "denoised_backgrounds"})
        given = {name: value for name, value in switches.items() if value is not None}
        return replace(TRACKS[self.track], **given)


class ViewSection(Section):
    """Random views; see `animatte.data.augmentation.ViewConfig`."""

    crops: tuple[Positive, ...] = ()
    centred: Probability = 0.4
    aspect: Annotated[float, Field(ge=1)] = 1.2
    tilt: Annotated[float, Field(ge=0)] = 8.0
    swing: Annotated[float, Field(ge=0, le=180)] = 0.0
    turned: Probability = 0.04


class ColourSection(Section):
    """Photometric changes; see `animatte.data.augmentation.ColourConfig`."""

    jitter: Probability = 0.8
    grey: Probability = 0.08
    dark: Probability = 0.05
    noise: Probability = 0.2
    jpeg: Probability = 0.2
    blur: Probability = 0.12


class DataSection(Section):
    """What is trained on.

    Attributes:
        root: folder that the sources are in.
        sources: where pictures come from.
        backgrounds: folder of pictures without a subject, or null.
        composition: how pictures come onto other backgrounds.
        empty: probability of a background alone.
        transition_kernel: width of the glance's transition in view pixels.
        focus_kernel: width of the band where the focus is trained.
        wide_kernel: width of the transition of FT and BT, whose focus is trained all over it (the
            paper takes 50, and 25 for TT); null for the same label and band as TT.
        view: random views.
        colour: photometric changes.
        workers: processes that make examples; 0 makes them in the training's own.
        cache: memory for decoded pictures in each of them, GB.
    """

    root: Path
    sources: Annotated[tuple[SourceSection, ...], Field(min_length=1)]
    backgrounds: Path | None = None
    composition: CompositionSection = CompositionSection()
    empty: Probability = 0.02
    transition_kernel: Positive = 25
    focus_kernel: Positive = 51
    wide_kernel: Positive | None = None
    view: ViewSection = ViewSection()
    colour: ColourSection = ColourSection()
    workers: Annotated[int, Field(ge=0)] = 1
    cache: Annotated[float, Field(ge=0)] = 6.0
