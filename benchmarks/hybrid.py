"""How much time HYBRID saves by running only the decoder that each size is used for.

As published, HYBRID runs the whole network at both sizes and throws half of the decoders' work
away. Run: `python benchmarks/hybrid.py --network r34 --height 1080 --width 1920`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray

from animatte.engine import Network, OnnxNetwork
from animatte.export.onnx import export_onnx
from animatte.models.gfm import GFM
from animatte.models.registry import built_gfm, gfm_config
from animatte.scales import resized
from animatte.strategies import named_strategy
from animatte.torch_engine import TorchNetwork

Views = Sequence[NDArray[np.float32]]


def only_what_is_used(network: Network, views: Views) -> None:
    network.glance(views[0])
    network.focus(views[1])


def both_decoders_at_both_sizes(network: Network, views: Views) -> None:
    for view in views:
        network.glance_and_focus(view)


def best_times(ways: Sequence[Callable[[], None]], repeats: int) -> list[float]:
    """Seconds of each, the best of several rounds in turn: a busy machine hits all alike."""
    times = [[_seconds(way) for way in ways] for _ in range(repeats + 1)]
    return [min(way) for way in zip(*times[1:], strict=True)]  # the first round warms up


def _seconds(way: Callable[[], None]) -> float:
    start = perf_counter()
    way()
    return perf_counter() - start


def report(engine: str, network: Network, views: Views, repeats: int) -> None:
    ways = (only_what_is_used, both_decoders_at_both_sizes)
    used, both = best_times([lambda way=way: way(network, views) for way in ways], repeats)  # type: ignore[misc]
    print(
        f"{engine:<14} only what is used {used * 1e3:7.0f} ms, both at both {both * 1e3:7.0f} ms, "
        f"{both / used:.2f} times as fast"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="r34", help="a key of GFM_CONFIGS")
    parser.add_argument("--height", type=int, default=1080, help="of the photo")
    parser.add_argument("--width", type=int, default=1920, help="of the photo")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--onnx", action="store_true", help="ONNX Runtime too")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    network = built_gfm(gfm_config(options.network))
    assert isinstance(network, GFM)
    photo = np.random.default_rng(0).random((options.height, options.width, 3), np.float32)
    hybrid = named_strategy("hybrid")
    sizes = [scale.size(photo.shape[:2], network.stride) for scale in (hybrid.glance, hybrid.focus)]
    views = [resized(photo, size) for size in sizes]
    print(f"{options.network}, glance {sizes[0]}, focus {sizes[1]}, {options.threads} threads")
    report("torch", TorchNetwork(network, "cpu"), views, options.repeats)
    if options.onnx:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "network.onnx"
            export_onnx(network, path, card={})
            onnx_network = OnnxNetwork(path, "cpu", options.threads)
            report("ONNX Runtime", onnx_network, views, options.repeats)


if __name__ == "__main__":
    main()
