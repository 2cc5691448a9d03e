"""A net definition as a table, one line per layer."""
from __future__ import annotations

from collections.abc import Callable, Iterable

from ..layer_types.common.window import read_window
from ..printable import printable
from ..proto.caffe_pb2 import ConvolutionParameter, LayerParameter, ParamSpec, PoolingParameter

_HEADER = ("layer", "type", "parameters", "bottoms → tops", "size")
_COLOURS = ("36", "33", "31", "0", "32")


def layer_table(layers: Iterable[LayerParameter], max_width: int = 30,
                colour: bool = False) -> str:
    """Return lines with name, type, parameters, bottoms and tops, and sizes of each layer.

    A parameter is its name, rate (``x2``) and decay (``Dx0``), what is 1 or empty left out; sizes
    are kernel/stride+pad and outputs/groups, e.g. ``5/1+2 256/2``.

    Args:
        layers: the definition's layers.
        max_width: longer cells are cut.
        colour: colour the columns for a terminal.

    Source: Caffe tools/extra/summarize.py.
    """
    rows = [_HEADER, *(_row(layer) for layer in layers)]
    cells = [[_cut(printable(cell), max_width) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEADER))]
    return "\n".join(_line(row, widths, colour) for row in cells)


def _row(layer: LayerParameter) -> tuple[str, ...]:
    return (layer.name, layer.type, ", ".join(map(_param, layer.param)),
            f"{', '.join(layer.bottom)} → {', '.join(layer.top)}".strip(), _size(layer))


def _param(spec: ParamSpec) -> str:
    parts = [spec.name] if spec.name else []
    if spec.lr_mult != 1:
        parts.append(f"x{spec.lr_mult:g}")
    if spec.decay_mult != 1:
        parts.append(f"Dx{spec.decay_mult:g}")
    return " ".join(parts) or "x1"


def _size(layer: LayerParameter) -> str:
    for name, show in _SIZES.items():
        if layer.HasField(name):
            return show(getattr(layer, name))
    return ""


def _convolution(param: ConvolutionParameter) -> str:
    outputs = f"{param.num_output}/{param.group}" if param.group != 1 else f"{param.num_output}"
    return f"{_window(param)} {outputs}"


def _pooling(param: PoolingParameter) -> str:
    kind = PoolingParameter.PoolMethod.Name(param.pool)
    return f"{kind} {'global' if param.global_pooling else _window(param)}"


def _window(param: ConvolutionParameter | PoolingParameter) -> str:
    window = read_window(param)
    kernel, stride, pad = ("x".join(map(str, sizes))
                           for sizes in (window.kernel, window.stride, window.pad))
    return (kernel + (f"/{stride}" if stride not in ("", "1") else "")
            + (f"+{pad}" if pad not in ("", "0") else ""))


_SIZES: dict[str, Callable[..., str]] = {
    "convolution_param": _convolution,
    "pooling_param": _pooling,
    "inner_product_param": lambda param: f"{param.num_output}",
    "embed_param": lambda param: f"{param.input_dim} → {param.num_output}",
    "recurrent_param": lambda param: f"{param.num_output}",
    "dropout_param": lambda param: f"{param.dropout_ratio:g}",
}


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else cell[:width - 1] + "…"


def _line(row: list[str], widths: list[int], colour: bool) -> str:
    cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
    if colour:
        cells = [f"\x1b[{code}m{cell}\x1b[0m" for code, cell in zip(_COLOURS, cells, strict=True)]
    return "  ".join(cells).rstrip()
