"""Python: a layer that the user's program defines."""
from __future__ import annotations

import importlib
from typing import Any

from .. import glog
from ..blob import Blob
from ..errors import MissingModuleError, MissingNameError, PrototxtError
from .base import Arity, Layer, LayerContext
from .common.vectors import BlobVec, RawBlobVec
from .user_layer import Layer as UserLayer


class Python(Layer):
    """Runs an object of the class ``python_param.layer`` in the module ``python_param.module``.

    The class derives from ``caffe_lrcn.Layer``, which says what it defines; its module is found as
    ``import`` finds it. Any number of bottoms and tops. To be a loss it needs a ``loss_weight``.
    Exceptions of the object reach the caller as they are, with their own traceback.

    Raises:
        PrototxtError: ``python_param`` is incomplete, or names something that is not such a class.
        MissingModuleError, MissingNameError: the module or the class in it does not exist.

    Source: Caffe's python_layer.
    """

    bottoms = Arity(0)
    tops = Arity(0)
    acts_on_setup = True
    capturable = False

    def __init__(self, param: Any, context: LayerContext) -> None:
        super().__init__(param, context)
        self.instance = self._make()
        self._warned = False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        self.instance.setup(RawBlobVec(bottom), RawBlobVec(top))

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        self.instance.reshape(RawBlobVec(bottom), RawBlobVec(top))

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        self.instance.forward(RawBlobVec(bottom), RawBlobVec(top))

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        self.instance.backward(RawBlobVec(top), list(propagate_down), RawBlobVec(bottom))

    def state(self) -> dict[str, Any]:
        """Return the object's state if it has ``state`` and ``restore``; see ``caffe_lrcn.Layer``.
        """
        if self._has_state():
            return {"state": self.instance.state()}
        stateful = self.instance.stateful
        if stateful is None:
            stateful = not self.param.bottom
        if stateful and not self._warned:
            self._warned = True
            glog.warning("layer '%s': %s has no state() and restore(): a run that is resumed from "
                         "this snapshot cannot be exact", self.name, type(self.instance).__name__)
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Hand a saved state back to the object."""
        if self._has_state():
            self.instance.restore(state["state"])

    def _has_state(self) -> bool:
        return all(callable(getattr(self.instance, name, None)) for name in ("state", "restore"))

    def _make(self) -> Any:
        cls: Any = self._class()
        # Attributes come first, so that a class may use them in its own __init__.
        instance = cls.__new__(cls, self.param)
        instance.phase, instance.blobs = self.phase, BlobVec(self.blobs, self.backend)
        # Scripts for early versions of Caffe read the name with an underscore.
        instance.param_str = instance.param_str_ = self.param.python_param.param_str
        instance.__init__(self.param)
        return instance

    def _class(self) -> type:
        module, name = self.param.python_param.module, self.param.python_param.layer
        if not module or not name:
            raise self.error(PrototxtError,
                             "python_param needs a module and the name of a class in it",
                             at=("python_param",))
        try:
            loaded = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if not f"{module}.".startswith(f"{error.name}."):
                raise  # the module is there; something that it imports is not
            raise self.error(MissingModuleError, f"there is no module '{module}'",
                             at=("python_param", "module"),
                             remedy="Add the folder that holds it to PYTHONPATH") from None
        cls = getattr(loaded, name, None)
        if cls is None:
            raise self.error(MissingNameError, f"module '{module}' has no class '{name}'",
                             at=("python_param", "layer"), got=getattr(loaded, "__file__", None))
        if not (isinstance(cls, type) and issubclass(cls, UserLayer)):
            raise self.error(PrototxtError, f"'{module}.{name}' is not a layer",
                             at=("python_param", "layer"), wanted="a class derived from "
                                                                  "caffe_lrcn.Layer")
        return cls
