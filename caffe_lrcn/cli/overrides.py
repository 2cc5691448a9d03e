"""``--set key=value``: fields of a solver definition replaced from the command line."""
from __future__ import annotations

import os
from collections.abc import Sequence

from google.protobuf.message import Message

from ..errors import PrototxtError, UsageError
from ..proto import caffe_pb2
from ..proto.text import SolverDef, parse_message


def apply_overrides(solver: SolverDef, settings: Sequence[str]) -> None:
    """Replace fields of ``solver`` in place.

    Args:
        settings: ``base_lr=0.1``, ``stepvalue=10,20`` (a list), ``train_state.stage=a,b`` (a field
            of a message), ``snapshot_prefix=out/x`` (text needs no quotes).

    Raises:
        UsageError: no ``=``, a field that a solver does not have, or a value of the wrong type.
    """
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise UsageError("--set takes key=value", got=setting)
        path = key.strip().split(".")
        text = _text_format(path, value.strip())
        try:
            change, _ = parse_message(text, caffe_pb2.SolverParameter(), f"--set {setting}")
        except PrototxtError as error:
            raise UsageError(error.message, where=f"--set {setting}", got=error.got,
                             wanted=error.wanted, remedy=error.remedy) from None
        _replace(solver.param, change, path, setting)
    prefix = solver.param.snapshot_prefix
    if os.path.isdir(prefix):
        stem = os.path.splitext(os.path.basename(solver.place.file))[0]
        solver.param.snapshot_prefix = os.path.join(prefix, stem)


def _text_format(path: Sequence[str], value: str) -> str:
    """Return ``a { b: value }`` for the path a, b; text is put in quotes, lists in brackets."""
    descriptor = caffe_pb2.SolverParameter.DESCRIPTOR
    field = None
    for name in path:
        field = descriptor.fields_by_name.get(name) if descriptor else None
        descriptor = field.message_type if field else None
    if field is not None and field.message_type is None:
        repeated = hasattr(field.default_value, "append")
        items = value.strip("[]").split(",") if repeated else [value]
        if field.cpp_type == field.CPPTYPE_STRING:
            items = [_quote(item.strip()) for item in items]
        value = f"[{', '.join(items)}]" if repeated else items[0]
    opening = "".join(f"{name} {{ " for name in path[:-1])
    return f"{opening}{path[-1]}: {value}{' }' * (len(path) - 1)}"


def _quote(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _replace(target: Message, change: Message, path: Sequence[str], setting: str) -> None:
    """Put the one field that ``change`` has in the place of that of ``target``."""
    name = path[0]
    if len(path) == 1:
        target.ClearField(name)
        target.MergeFrom(change)
        return
    inner, new = getattr(target, name), getattr(change, name)
    if not isinstance(inner, Message):  # repeated
        if len(inner) > 1:
            raise UsageError(f"the solver has {len(inner)} of '{name}', and --set cannot tell "
                             "which is meant", where=f"--set {setting}",
                             remedy="Change the definition itself.")
        inner, new = inner[0] if inner else inner.add(), new[0]
    _replace(inner, new, path[1:], setting)
