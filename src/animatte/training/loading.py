"""Examples on their way into the loop: batches, and how long the loop waits for them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from itertools import chain, islice
from threading import Thread
from time import monotonic
from typing import NamedTuple

import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader

from animatte.data.dataset import Example, ExampleStream, Request
from animatte.training.devices import shares
from animatte.training.objective import Batch

PREFETCHED = 4  # batches each loader process has ready


class Loaded(NamedTuple):
    """A batch, or a part of one, and what is in it.

    Attributes:
        batch: tensors.
        names: of the pictures.
    """

    batch: Batch
    names: tuple[str, ...]


class Pace:
    """How fast a training is, and how much of its time it waits for examples."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Count from now on."""
        self.begun = monotonic()
        self.samples = 0
        self.waited = 0.0

    @property
    def samples_per_second(self) -> float:
        """Examples learned from a second, of all processes."""
        return self.samples / max(monotonic() - self.begun, 1e-9)

    @property
    def waiting(self) -> float:
        """Share of the time that the loop waited for its loader, in [0, 1]."""
        return self.waited / max(monotonic() - self.begun, 1e-9)


def batches(
    stream: ExampleStream,
    requests: Iterator[list[Request]],
    accelerator: Accelerator,
    workers: int,
    pace: Pace,
) -> Iterator[list[Loaded]]:
    """Yield what this process learns from at every step, in its parts, on the device.

    Args:
        stream: where examples come from.
        requests: of each step, of all processes.
        accelerator: knows the processes, the parts and the device.
        workers: processes that make examples.
        pace: told how long each step waited.

    Raises:
        ValueError: if an example cannot be made.
    """
    parts = accelerator.gradient_accumulation_steps
    loader: DataLoader[Example] = DataLoader(
        stream,  # type: ignore[arg-type]  # read by item alone, which is all the loader asks
        batch_sampler=chain.from_iterable(shares(requests, accelerator)),
        num_workers=workers,
        collate_fn=loaded,
        prefetch_factor=PREFETCHED * parts if workers else None,
        pin_memory=accelerator.device.type == "cuda",
        generator=torch.Generator(),  # whose draws nobody else misses
        worker_init_fn=leave_stopping_to_the_loop,
    )
    iterator = iter(loader)
    while True:
        begun = monotonic()
        try:
            step = list(islice(iterator, parts))
        except ValueError as error:
            raise ValueError(told_by(error)) from error
        pace.waited += monotonic() - begun
        if not step:
            return
        yield [Loaded(on_device(part.batch, accelerator.device), part.names) for part in step]


def told_by(error: ValueError) -> str:
    """Say what was wrong with an example: of a loader's process, the error comes as a traceback."""
    *traceback, last = str(error).strip().splitlines() or [""]
    return last.partition(": ")[2] if traceback else last


def leave_stopping_to_the_loop(_: int) -> None:
    """Let Ctrl-C, and a stop asked of a whole group, pass a loader's process by.

    The loop still wants the batch that it waits for, and ends the process when it is done.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":  # elsewhere a signal does not say whose it is
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        Thread(target=_end_where_the_loop_says_so, daemon=True).start()


def _end_where_the_loop_says_so() -> None:
    if sys.platform == "linux":
        while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
            pass
        os._exit(0)


def loaded(examples: list[Example]) -> Loaded:
    """Stack examples, and keep their names."""
    return Loaded(batch_of(examples), tuple(example.name for example in examples))


def batch_of(examples: list[Example]) -> Batch:
    """Stack examples into tensors."""
    columns = [
        torch.stack([torch.from_numpy(getattr(example, name)) for example in examples])
        for name in Batch._fields
    ]
    return Batch(columns[0].contiguous(memory_format=torch.channels_last), *columns[1:])


def on_device(batch: Batch, device: torch.device) -> Batch:
    """Bring a batch to the device; from pinned memory without waiting for it."""
    return Batch(*(value.to(device, non_blocking=True) for value in batch))
