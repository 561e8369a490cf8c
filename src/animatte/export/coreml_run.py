"""A Core ML program followed operation by operation in torch, where Core ML is not to be had.

It knows what our networks become (Core ML's MIL, by the operations' published definitions) and
computes in float32. So it shows whether the program is the network; how an iPhone rounds float16 is
not part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Inputs = Mapping[str, Any]


def program_output(program: Any, image: Tensor) -> Tensor:
    """Run the function `main` of a program, as coremltools reads it back.

    Args:
        program: it has one input and one output.
        image: (1, 3, H, W) RGB in [0, 255].

    Returns:
        The output as float32.

    Raises:
        ValueError: if it has an operation that is not known here.
    """
    main = program.functions["main"]
    (start,) = main.inputs
    known: dict[str, Tensor] = {start: image}
    left = _last_uses(main)
    with torch.inference_mode():
        for position, operation in enumerate(main.operations):
            if operation.op_type == "const" or operation.op_type.startswith("constexpr"):
                continue
            if operation.op_type not in _OPERATIONS:
                raise ValueError(
                    f"operation {operation.op_type!r} of the Core ML program cannot be followed "
                    "here; report the network with the version of coremltools"
                )
            inputs = {
                name: _value(given, known)
                for name, given in operation.inputs.items()
                if given is not None
            }
            known[operation.outputs[0].name] = _OPERATIONS[operation.op_type](inputs)
            for name in left.get(position, ()):
                known.pop(name, None)
    return known[main.outputs[0].name].float()


def tensor_of(variable: Any) -> Tensor:
    """Return a stored constant: floats as float32, weights in bytes multiplied out."""
    value = variable.val
    if value is None:
        value = variable.op.materialized_val_inference()
    return _tensor(value)


def _tensor(value: Any) -> Tensor:
    array = np.asarray(value)
    if array.dtype.kind == "f":
        array = array.astype(np.float32)
    elif array.dtype.kind in "iu":
        array = array.astype(np.int64)
    return torch.from_numpy(np.array(array))


def _last_uses(main: Any) -> dict[int, list[str]]:
    """After which operation a value is needed no more; a large photo's features are many."""
    last: dict[str, int] = {}
    for position, operation in enumerate(main.operations):
        for given in operation.inputs.values():
            for variable in given if isinstance(given, list | tuple) else (given,):
                if variable is not None:
                    last[variable.name] = position
    outputs = {variable.name for variable in main.outputs}
    done: dict[int, list[str]] = {}
    for name, position in last.items():
        if name not in outputs:
            done.setdefault(position, []).append(name)
    return done


def _value(given: Any, known: Mapping[str, Tensor]) -> Any:
    if isinstance(given, list | tuple):
        return [_value(each, known) for each in given]
    if given.name in known:
        return known[given.name]
    value = given.val
    return value if isinstance(value, str) else tensor_of(given)


def _numbers(values: Tensor) -> list[int]:
    numbers: list[int] = values.flatten().tolist()
    return numbers


def _cast(inputs: Inputs) -> Tensor:
    kind = inputs["dtype"]
    x: Tensor = inputs["x"]
    if kind.startswith("fp"):
        return x.float()
    return x.bool() if kind == "bool" else x.long()


def _conv(inputs: Inputs) -> Tensor:
    top, bottom, left, right = _padding(inputs)
    return functional.conv2d(
        functional.pad(inputs["x"], (left, right, top, bottom)),
        inputs["weight"],
        inputs.get("bias"),
        stride=_numbers(inputs["strides"]),
        dilation=_numbers(inputs["dilations"]),
        groups=int(inputs["groups"]),
    )


def _padding(inputs: Inputs) -> list[int]:
    kind = inputs["pad_type"]
    if kind == "valid":
        return [0, 0, 0, 0]
    if kind != "custom":
        raise ValueError(f"padding {kind!r} of the Core ML program cannot be followed here")
    return _numbers(inputs["pad"])


def _pad(inputs: Inputs) -> Tensor:
    """MIL lists before and after of the last dimensions, torch those of the last one first."""
    if inputs["mode"] != "constant":
        raise ValueError(
            f"padding {inputs['mode']!r} of the Core ML program cannot be followed here"
        )
    numbers = _numbers(inputs["pad"])
    pairs = [numbers[start : start + 2] for start in range(0, len(numbers), 2)]
    return functional.pad(
        inputs["x"], [*chain(*reversed(pairs))], value=float(inputs["constant_val"])
    )


def _max_pool(inputs: Inputs) -> Tensor:
    top, bottom, left, right = _padding(inputs)
    padded = functional.pad(inputs["x"], (left, right, top, bottom), value=-torch.inf)
    return functional.max_pool2d(
        padded,
        _numbers(inputs["kernel_sizes"]),
        _numbers(inputs["strides"]),
        ceil_mode=bool(inputs.get("ceil_mode", False)),
    )


def _avg_pool(inputs: Inputs) -> Tensor:
    if any(_padding(inputs)):
        raise ValueError("padded mean pooling of the Core ML program cannot be followed here")
    return functional.avg_pool2d(
        inputs["x"], _numbers(inputs["kernel_sizes"]), _numbers(inputs["strides"])
    )


def _upsample_bilinear(inputs: Inputs) -> Tensor:
    return _bilinear(
        inputs["x"],
        [
            round(length * float(inputs[f"scale_factor_{name}"]))
            for length, name in zip(inputs["x"].shape[2:], ("height", "width"), strict=True)
        ],
        bool(inputs["align_corners"]),
    )


def _resize_bilinear(inputs: Inputs) -> Tensor:
    modes = {"STRICT_ALIGN_CORNERS": True, "ALIGN_CORNERS": True, "UNALIGN_CORNERS": False}
    size = [int(inputs["target_size_height"]), int(inputs["target_size_width"])]
    return _bilinear(inputs["x"], size, modes[inputs["sampling_mode"]])


def _bilinear(x: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    return functional.interpolate(x, list(size), mode="bilinear", align_corners=align_corners)


def _upsample_nearest(inputs: Inputs) -> Tensor:
    factors = tuple(float(inputs[f"scale_factor_{name}"]) for name in ("height", "width"))
    return functional.interpolate(inputs["x"], scale_factor=factors, mode="nearest")


def _slice(inputs: Inputs) -> Tensor:
    x: Tensor = inputs["x"]
    count = x.ndim
    begins, ends = _numbers(inputs["begin"]), _numbers(inputs["end"])
    steps, begin_mask, end_mask, squeezed = (
        _numbers(inputs[name]) if name in inputs else [default] * count
        for name, default in (
            ("stride", 1),
            ("begin_mask", 0),
            ("end_mask", 0),
            ("squeeze_mask", 0),
        )
    )
    cut: list[slice | int] = [
        begins[axis]
        if squeezed[axis]
        else slice(
            None if begin_mask[axis] else begins[axis],
            None if end_mask[axis] else ends[axis],
            steps[axis],
        )
        for axis in range(count)
    ]
    return x[tuple(cut)]


def _batch_norm(inputs: Inputs) -> Tensor:
    return functional.batch_norm(
        inputs["x"],
        inputs["mean"],
        inputs["variance"],
        inputs.get("gamma"),
        inputs.get("beta"),
        eps=float(inputs["epsilon"]),
    )


def _matmul(inputs: Inputs) -> Tensor:
    x, y = inputs["x"], inputs["y"]
    if bool(inputs.get("transpose_x", False)):
        x = x.transpose(-1, -2)
    if bool(inputs.get("transpose_y", False)):
        y = y.transpose(-1, -2)
    product: Tensor = x @ y
    return product


def _reduced(reduction: Callable[..., Tensor]) -> Callable[[Inputs], Tensor]:
    return lambda inputs: reduction(
        inputs["x"], dim=_numbers(inputs["axes"]), keepdim=bool(inputs["keep_dims"])
    )


def _of_two(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Inputs], Tensor]:
    return lambda inputs: function(inputs["x"], inputs["y"])


def _expanded(inputs: Inputs) -> Tensor:
    x: Tensor = inputs["x"]
    for axis in sorted(_numbers(inputs["axes"])):
        x = x.unsqueeze(axis)
    return x


_OPERATIONS: Mapping[str, Callable[[Inputs], Tensor]] = {
    "abs": lambda inputs: inputs["x"].abs(),
    "add": _of_two(torch.add),
    "avg_pool": _avg_pool,
    "batch_norm": _batch_norm,
    "cast": _cast,
    "clip": lambda inputs: inputs["x"].clamp(float(inputs["alpha"]), float(inputs["beta"])),
    "concat": lambda inputs: torch.cat(
        [each.reshape(1) if each.ndim == 0 else each for each in inputs["values"]],
        dim=int(inputs["axis"]),
    ),
    "conv": _conv,
    "expand_dims": _expanded,
    "floor_div": _of_two(torch.floor_divide),
    "gather": lambda inputs: inputs["x"][int(inputs["indices"])],
    "greater": _of_two(torch.gt),
    "greater_equal": _of_two(torch.ge),
    "less": _of_two(torch.lt),
    "linear": lambda inputs: functional.linear(inputs["x"], inputs["weight"], inputs.get("bias")),
    "logical_and": _of_two(torch.logical_and),
    "matmul": _matmul,
    "max_pool": _max_pool,
    "mul": _of_two(torch.mul),
    "pad": _pad,
    "range_1d": lambda inputs: torch.arange(
        *(inputs[name].item() for name in ("start", "end", "step"))
    ),
    "real_div": _of_two(torch.true_divide),
    "reduce_mean": _reduced(torch.mean),
    "reduce_sum": _reduced(torch.sum),
    "relu": lambda inputs: functional.relu(inputs["x"]),
    "relu6": lambda inputs: functional.relu6(inputs["x"]),
    "reshape": lambda inputs: inputs["x"].reshape(_numbers(inputs["shape"])),
    "resize_bilinear": _resize_bilinear,
    "select": lambda inputs: torch.where(inputs["cond"], inputs["a"], inputs["b"]),
    "shape": lambda inputs: torch.tensor(inputs["x"].shape),
    "sigmoid": lambda inputs: inputs["x"].sigmoid(),
    "slice_by_index": _slice,
    "softmax": lambda inputs: inputs["x"].softmax(int(inputs["axis"])),
    "squeeze": lambda inputs: inputs["x"].squeeze(tuple(_numbers(inputs["axes"]))),
    "sub": _of_two(torch.sub),
    "transpose": lambda inputs: inputs["x"].permute(_numbers(inputs["perm"])),
    "upsample_bilinear": _upsample_bilinear,
    "upsample_nearest_neighbor": _upsample_nearest,
}
