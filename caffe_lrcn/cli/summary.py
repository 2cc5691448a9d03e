"""``caffe-lrcn summary``: types, shapes and costs of a net's layers."""
from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..collection import paused_collection
from . import runtime
from .check import add_shape_flag

if TYPE_CHECKING:
    from ..inspection.count import LayerCost
    from ..inspection.look import Look

_HEADER = ("layer", "type", "output", "parameters", "multiply-adds", "activations")
_RIGHT = (False, False, False, True, True, True)
_UNITS = ("", "k", "M", "G", "T", "P")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("net", metavar="NET", help="a net definition")
    parser.add_argument("--phase", choices=("TRAIN", "TEST"), default="TEST",
                        help="phase of the net (default TEST)")
    parser.add_argument("--level", type=int, default=0, help="level of the net's state")
    parser.add_argument("--stage", default="", metavar="A,B",
                        help="stages of the net's state, with commas between (those of the solver "
                             "beside the net)")
    add_shape_flag(parser)
    runtime.add_set_flag(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


@paused_collection()
def run(args: argparse.Namespace) -> int:
    """Print the table; return 1 if a layer could not be set up."""
    from ..inspection.count import count
    from ..inspection.look import look_at, parse_shapes
    from ..inspection.problems import ERROR, merge
    from ..paths import resolve
    from ..proto.text import read_net
    from .overrides import change_net
    path = resolve(args.net)
    definition = read_net(path)
    change_net(definition, args.set)
    state = runtime.seen_state(args, path, definition)
    look = look_at(definition, state, parse_shapes(args.shape))
    costs = count(look.steps)
    print(as_json(look, costs) if args.json else as_text(look, costs))
    for problem in merge(look.problems):
        print(problem.line(), file=sys.stderr)
    return int(any(problem.severity == ERROR for problem in look.problems))


def as_text(look: Look, costs: Sequence[LayerCost]) -> str:
    """Return an aligned table and the totals."""
    from ..inspection.count import total
    from ..inspection.look import variant_name
    from ..inspection.statistics import table
    rows = [[cost.layer, cost.type, ", ".join(map(_shape, cost.outputs)) or _unknown(cost),
             *map(short, (cost.parameters, cost.multiply_adds)), _bytes(cost.activations)]
            for cost in costs]
    sums = total(costs)
    name = look.definition.param.name or "net"
    return "\n".join([
        f"{name} ({variant_name(look.state)}), {len(costs)} layers", "",
        table(_HEADER, rows, _RIGHT), "",
        f"parameters     {sums['parameters']:,} ({_bytes(4 * sums['parameters'])})",
        f"multiply-adds  {sums['multiply_adds']:,} a forward pass",
        f"activations    {_bytes(sums['activations'])}, twice that with gradients"])


def as_json(look: Look, costs: Sequence[LayerCost]) -> str:
    """Return the same as one JSON object; activations are bytes."""
    from ..inspection.count import total
    state = look.state
    return json.dumps({"name": look.definition.param.name,
                       "phase": ("TRAIN", "TEST")[state.phase], "stages": list(state.stage),
                       "layers": [vars(cost) for cost in costs], "totals": total(costs)}, indent=2)


def short(number: float) -> str:
    """Return a number with three digits and a unit (k, M, G), or as it is below 1000."""
    unit = 0
    while number >= 999.5 and unit + 1 < len(_UNITS):
        number, unit = number / 1000, unit + 1
    return f"{number:.3g}{' ' if unit else ''}{_UNITS[unit]}"


def _bytes(number: int) -> str:
    text = short(number)
    return text + ("B" if text[-1].isalpha() else " B")


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "1 number"


def _unknown(cost: LayerCost) -> str:
    return "-" if cost.type in ("Silence", "HDF5Output") else "?"
