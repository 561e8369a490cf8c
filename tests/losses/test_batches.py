"""How a batch's loss comes of its pictures'."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from animatte.losses.late_fusion import READINGS, ReadingName
from animatte.models.gfm import GFMOutput
from animatte.models.late_fusion import LFMOutput
from animatte.models.rosta import Rosta
from animatte.training.objective import GFM_TERMS, Batch, gfm_loss_terms, lfm_loss_terms

WANTED = ("foreground", "background", "fusion")


def pictures(count: int) -> Batch:
    """Pictures with transitions of very different sizes, the last with none at all."""
    alpha = torch.zeros(count, 1, 32, 32)
    for index in range(count - 1):
        alpha[index, :, :, 4 : 8 + 8 * index] = torch.rand(1, 32, 4 + 8 * index)
    band = ((alpha > 0) & (alpha < 1)).float()
    label = torch.where(band[:, 0] > 0, 1, 0)
    image, foreground, background = (torch.rand(count, 3, 32, 32) for _ in range(3))
    return Batch(image, alpha, label, band, foreground, background, label)


def part_of(batch: Batch, index: int) -> Batch:
    return Batch(*(value[index : index + 1] for value in batch))


def assert_mean(whole: dict[str, Tensor], parts: list[dict[str, Tensor]]) -> None:
    for name, value in whole.items():
        mean = torch.stack([part[name] for part in parts]).mean()
        torch.testing.assert_close(value, mean, msg=name)


def test_each_gfm_term_of_a_batch_is_the_mean_of_its_pictures() -> None:
    batch = pictures(3)
    logits, focus = torch.randn(3, 3, 32, 32), torch.rand(3, 1, 32, 32)
    output = GFMOutput(logits.softmax(1), focus, focus, logits)

    def terms(output: GFMOutput, batch: Batch) -> dict[str, Tensor]:
        return gfm_loss_terms(output, batch, Rosta.TT, GFM_TERMS)

    alone = [GFMOutput(*(value[i : i + 1] for value in output)) for i in range(3)]
    assert_mean(terms(output, batch), [terms(alone[i], part_of(batch, i)) for i in range(3)])


@pytest.mark.parametrize("reading", list(READINGS))
def test_each_lfm_term_of_a_batch_is_the_mean_of_its_pictures(reading: ReadingName) -> None:
    alpha = pictures(3).alpha
    plane = torch.rand(3, 1, 32, 32)

    def terms(rows: slice) -> dict[str, Tensor]:
        own = plane[rows]
        output = LFMOutput(own, own, own, own, (own,), (own,))
        return lfm_loss_terms(output, alpha[rows], WANTED, reading)

    assert_mean(terms(slice(None)), [terms(slice(i, i + 1)) for i in range(3)])
