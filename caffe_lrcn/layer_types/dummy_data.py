"""DummyData: blobs filled by fillers, for tests and benchmarks."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from ..errors import PrototxtError
from ..proto import caffe_pb2
from ..rng import generator
from .base import Arity, Layer, exactly

_LEGACY = ("num", "channels", "height", "width")


class DummyData(Layer):
    """Fills its tops: constants once, at setup, anything else anew in every forward pass.

    Shapes come from ``shape`` or from ``num``, ``channels``, ``height`` and ``width``, each given
    once or once per top; fillers are given once, once per top, or not at all (zeros).

    Raises:
        PrototxtError: other numbers of shapes or fillers, or both kinds of shape.

    Source: Caffe's dummy_data_layer.
    """

    bottoms = exactly(0)
    tops = Arity(1)
    capturable = False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        fillers = list(self.param.dummy_data_param.data_filler) or [caffe_pb2.FillerParameter()]
        if len(fillers) not in (1, len(top)):
            raise self._wrong_number("data_filler", len(fillers), f"0, 1 or {len(top)}")
        self._fillers = fillers * len(top) if len(fillers) == 1 else fillers
        self._calls = 0
        for blob, shape in zip(top, self._shapes(len(top)), strict=True):
            blob.reshape(*shape)
        # CAFFE-QUIRK: constants are written once, so that a caller's own values stay.
        self._fill(top, constants=True)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        pass

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._fill(top, constants=False)
        self._calls += 1

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        pass

    def state(self) -> dict[str, Any]:
        return {"calls": self._calls}

    def restore(self, state: dict[str, Any]) -> None:
        self._calls = int(state["calls"])

    def _shapes(self, tops: int) -> list[tuple[int, ...]]:
        param = self.param.dummy_data_param
        legacy = any(len(getattr(param, name)) for name in _LEGACY)
        if legacy and len(param.shape):
            raise self.error(PrototxtError, "a shape is given in two ways",
                             at=("dummy_data_param",),
                             remedy="Give either shape, or num, channels, height and width.")
        for name in _LEGACY if legacy else ("shape",):
            if len(getattr(param, name)) not in (1, tops):
                raise self._wrong_number(name, len(getattr(param, name)), f"1 or {tops}")
        if not legacy:
            return [tuple(_once_or_each(param.shape, i).dim) for i in range(tops)]
        return [tuple(_once_or_each(getattr(param, name), i) for name in _LEGACY)
                for i in range(tops)]

    def _fill(self, top: list[Blob], *, constants: bool) -> None:
        for i, (blob, spec) in enumerate(zip(top, self._fillers, strict=True)):
            if (spec.type == "constant") == constants:
                rng = generator(self.context.seed, self.phase, self.name, i, call=self._calls)
                self.fill(blob, spec, lambda rng=rng: rng)

    def _wrong_number(self, name: str, got: int, wanted: str) -> Exception:
        return self.error(PrototxtError, f"{name} is given the wrong number of times", got=got,
                          wanted=wanted, at=("dummy_data_param",))


def _once_or_each(values: Any, index: int) -> Any:
    return values[index if len(values) > 1 else 0]
