"""Nets written in Python: ``n.conv = L.Convolution(n.data, num_output=20)``, then ``to_proto``.

``L.Type(*bottoms, ntop=1, in_place=False, **fields)`` makes a layer. Fields that end in ``param``
belong to the LayerParameter; others to the message of the type (``num_output`` of a Convolution
is ``convolution_param.num_output``) where that has such a field, else to the LayerParameter.

Source: python/caffe/net_spec.py.
"""
from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import MissingNameError
from ..proto import caffe_pb2
from ..proto.caffe_pb2 import LayerParameter, NetParameter
from .assign import assign_proto, param_name_dict

__all__ = ["Function", "Layers", "NetSpec", "Parameters", "Top", "assign_proto", "layers",
           "param_name_dict", "params", "to_proto"]

_FIELD_OF = param_name_dict()


class Top:
    """One output of a layer: number ``n`` of the Function ``fn``."""

    def __init__(self, fn: Function, n: int) -> None:
        self.fn, self.n = fn, n

    def to_proto(self) -> NetParameter:
        """Return the net that makes this top."""
        return to_proto(self)


class Function:
    """A layer: its type, its bottoms and its fields.

    Raises:
        TypeError: a bottom is not a Top.
    """

    def __init__(self, type_name: str, inputs: tuple[Top, ...], params: dict[str, Any]) -> None:
        for index, bottom in enumerate(inputs):
            if not isinstance(bottom, Top):
                raise TypeError(f"{type_name} input {index} is not a Top (type is "
                                f"{type(bottom)})")
        self.type_name, self.inputs, self.params = type_name, tuple(inputs), dict(params)
        self.ntop = int(self.params.pop("ntop", 1))
        self.in_place = bool(self.params.pop("in_place", False))
        self.tops = tuple(Top(self, index) for index in range(self.ntop))

    def to_proto(self) -> NetParameter:
        """Return the net that ends in this layer."""
        return _Writer({}).add(self).net


class _Writer:
    """Writes layers, each after those that it reads from, and names what has no name."""

    def __init__(self, names: dict[Top | Function, str]) -> None:
        self.net = NetParameter()
        self._names = dict(names)
        self._counts: Counter[str] = Counter()
        self._layers: dict[Function, LayerParameter] = {}

    def add(self, fn: Function) -> _Writer:
        """Write a layer and everything that it depends on."""
        # Kept on a list, so that deep nets do not meet Python's limit of nested calls.
        pending: list[tuple[Function, Iterator[Top]]] = [(fn, iter(fn.inputs))]
        while pending:
            current, bottoms = pending[-1]
            bottom = next((top for top in bottoms if top.fn not in self._layers), None)
            if bottom is not None:
                pending.append((bottom.fn, iter(bottom.fn.inputs)))
                continue
            if current not in self._layers:
                self._write(current)
            pending.pop()
        return self

    def _write(self, fn: Function) -> None:
        layer = self.net.layer.add(type=fn.type_name)
        layer.bottom.extend(self._layers[top.fn].top[top.n] for top in fn.inputs)
        layer.top.extend(layer.bottom if fn.in_place else map(self._top_name, fn.tops))
        layer.name = self._name(fn)
        for key, value in fn.params.items():
            _assign_field(layer, key, value)
        self._layers[fn] = layer

    def _name(self, fn: Function) -> str:
        if fn in self._names:
            return self._names[fn]
        return self._top_name(fn.tops[0]) if fn.tops else self._automatic(fn)

    def _top_name(self, top: Top) -> str:
        if top not in self._names:
            self._names[top] = self._automatic(top.fn)
        return self._names[top]

    def _automatic(self, fn: Function) -> str:
        self._counts[fn.type_name] += 1
        return f"{fn.type_name}{self._counts[fn.type_name]}"


def _assign_field(layer: LayerParameter, key: str, value: Any) -> None:
    known = layer.DESCRIPTOR.fields_by_name
    field = f"{_FIELD_OF.get(layer.type, '')}_param"
    own = known[field].message_type.fields_by_name if field in known else {}
    if not key.endswith("param") and key in own:
        assign_proto(getattr(layer, field), key, value)
    elif key in known:
        assign_proto(layer, key, value)
    else:
        raise MissingNameError(f"{layer.type} has no field '{key}'", layer=layer.name,
                               wanted=", ".join([*own, *known]))


class NetSpec:
    """Names layers and blobs by assigning them: ``n.name = L.Type(…)`` or ``n["name"] = …``."""

    tops: OrderedDict[str, Top | Function]

    def __init__(self) -> None:
        super().__setattr__("tops", OrderedDict())

    def __setattr__(self, name: str, value: Top | Function) -> None:
        self.tops[name] = value

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["tops"][name]
        except KeyError:
            raise AttributeError(f"the net has no '{name}'") from None

    def __setitem__(self, name: str, value: Top | Function) -> None:
        self.tops[name] = value

    def __getitem__(self, name: str) -> Any:
        return self.tops[name]

    def __delattr__(self, name: str) -> None:
        del self.tops[name]

    def __delitem__(self, name: str) -> None:
        del self.tops[name]

    def to_proto(self) -> NetParameter:
        """Return the net, in the order of assignment; each layer follows those it reads from.

        Raises:
            MissingNameError, TypeError, ValueError: a field that does not exist, or its value.
        """
        writer = _Writer({value: name for name, value in self.tops.items()})
        for value in self.tops.values():
            writer.add(value.fn if isinstance(value, Top) else value)
        return writer.net


class Layers:
    """``layers.Type(...)`` makes a layer: a Top, several of them, or a Function without tops."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def make(*bottoms: Top, **fields: Any) -> Any:
            fn = Function(name, bottoms, fields)
            return fn if fn.ntop == 0 else fn.tops[0] if fn.ntop == 1 else fn.tops
        return make


class Parameters:
    """``params.Pooling.MAX`` is the value of an enum of PoolingParameter."""

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(caffe_pb2, f"{name}Parameter")
        except AttributeError:
            raise AttributeError(f"there is no message {name}Parameter") from None


def to_proto(*tops: Top | Function) -> NetParameter:
    """Return the net that makes these tops; nothing in it has a given name."""
    writer = _Writer({})
    for top in tops:
        writer.add(top.fn if isinstance(top, Top) else top)
    return writer.net


layers = Layers()
params = Parameters()
