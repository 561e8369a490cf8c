"""Loss terms as pure functions: each a scalar tensor; a total is a weighted sum of terms.

A term of a batch is the mean of its pictures' terms. So it does not matter how a batch is parted
among processes, or into parts that are learned one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def weighted_total(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Sum the terms by their weights; a term without a weight is not counted.

    Raises:
        ValueError: if a weight names no term.
    """
    unknown = sorted(set(weights) - set(terms))
    if unknown:
        raise ValueError(f"loss weights name no term: {unknown}; the terms are {sorted(terms)}")
    return torch.stack([terms[name] * weight for name, weight in weights.items()]).sum()
