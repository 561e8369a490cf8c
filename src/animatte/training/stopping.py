"""Why a training ends before its last step: it was asked to, or its loss went astray."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_STEADINESS = 0.95  # of the running mean of the loss
_NAMED = 24  # samples an error line names at most


class TrainingStopped(KeyboardInterrupt):
    """A training was asked to stop, and has saved where it is."""


class DivergedError(ValueError):
    """A loss or gradient is no number any more, or many times what it was."""


class StopRequest:
    """Whether a stop was asked for; true in a condition once it was."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Take Ctrl-C and SIGTERM for a request to stop between two steps.

    Asked a second time, they act at once, as they do elsewhere.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request  # only the main thread may say what a signal does
        return
    before = {each: signal.getsignal(each) for each in _SIGNALS}

    def restore() -> None:
        for each, handler in before.items():
            signal.signal(each, handler)

    def ask(_number: int, _frame: FrameType | None) -> None:
        request.asked = True
        restore()

    try:
        for each in _SIGNALS:
            signal.signal(each, ask)
        yield request
    finally:
        restore()


def is_astray(loss: float, usual: float | None, explosion: float | None) -> bool:
    """Whether a loss is no number, or many times its running mean.

    Args:
        loss: of a step.
        usual: the mean; None before the first step.
        explosion: how many times is too many; None for no such limit.
    """
    if not math.isfinite(loss):
        return True
    return explosion is not None and usual is not None and abs(loss) > explosion * abs(usual)


def running_mean(usual: float | None, loss: float) -> float:
    """Return the running mean of the loss after another step."""
    return loss if usual is None else _STEADINESS * usual + (1 - _STEADINESS) * loss


def divergence(
    what: str, step: int, usual: float | None, samples: Sequence[str], kept: str
) -> DivergedError:
    """Return the error that says what happened, on which samples, and what to do.

    Args:
        what: "the loss is nan", say.
        step: that could not be made.
        usual: running mean of the loss before it.
        samples: in the batch.
        kept: which checkpoint there is to go back to.
    """
    named = ", ".join(samples[:_NAMED])
    more = f" and {len(samples) - _NAMED} more" if len(samples) > _NAMED else ""
    before = "" if usual is None else f" (about {usual:.3g} before)"
    return DivergedError(
        f"{what} at step {step}{before}; in the batch: {named}{more}; {kept}; look at these "
        "samples, or begin anew with a lower rate (stages.optimiser.rate) in another folder (-o)"
    )
