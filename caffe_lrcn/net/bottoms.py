"""Where the bottoms came from that do not fit a layer."""
from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import ShapeError
from ..proto.text import LayerDef
from .collect import Shape

_NUMBERS = re.compile(r"\bbottoms? (\d+)(?: and (\d+))?")
_MOST = 3


def tell_bottoms(error: ShapeError, layer: LayerDef, makers: Sequence[LayerDef | None],
                 shapes: Sequence[Shape | None]) -> None:
    """Say in an error about a layer's bottoms which layers made them.

    Args:
        error: it is about the bottoms that its message counts, or else about all of them.
        layer: the one that they do not fit, as it was written.
        makers: the layer that wrote each bottom last.
        shapes: those of the bottoms.
    """
    numbers = [int(number) for match in _NUMBERS.finditer(error.message)
               for number in match.groups() if number] or list(range(len(makers)))
    told = [error.remedy.rstrip(".")] if error.remedy else []
    for number in numbers if len(numbers) <= _MOST else ():
        maker = makers[number] if number < len(makers) else None
        if maker is None:
            continue
        if maker.param.type == "Input" and not maker.param.input_param.shape:
            told.append(f"Input '{maker.param.name}' at {maker.place.at()} has no shape: write "
                        "input_param { shape { dim: … } } in it")
        elif len(makers) > 1:
            told.append(f"Bottom {number}, '{layer.param.bottom[number]}' {shapes[number]}, comes "
                        f"from layer '{maker.param.name}' at {maker.place.at()}")
    error.remedy = ". ".join(told) or None
