"""``--set key=value``: fields of a solver, or of layers, replaced from the command line."""
from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from ..errors import PrototxtError, UsageError
from ..hints import did_you_mean, nearest
from ..proto import caffe_pb2
from ..proto.text import NetDef, SolverDef, parse_message

LAYER_HELP = "Fields of layers are set by the layer's name: --set layer.data.batch_size=3"
_NETS = ("net", "train_net", "test_net")
_TESTS = ("test_iter", "test_state", "test_net", "test_net_param")


def apply_overrides(solver: SolverDef, settings: Sequence[str]) -> None:
    """Replace fields of ``solver`` in place.

    Args:
        settings: ``base_lr=0.1``, ``stepvalue=10,20`` (a list), ``train_state.stage=a,b`` (a field
            of a message), ``snapshot_prefix=out/x`` (text needs no quotes);
            ``layer.NAME.batch_size=3`` (a field of the layers of that name, in all nets). One
            number as ``test_iter`` counts for every test net; ``test_interval=0`` leaves all out.

    Raises:
        UsageError: no ``=``, a field that a solver does not have, or a value of the wrong type.
    """
    solver.changes += layer_changes(settings)
    for setting in settings:
        key, value = _key_and_value(setting)
        path = key.split(".")
        if path[0] == "layer":
            continue
        if path[0] in _NETS and len(path) > 1:
            raise UsageError(f"{path[0]} is the name of a file", where=f"--set {setting}",
                             remedy=LAYER_HELP)
        tests = len(solver.param.test_iter)
        _replace(solver.param, _parse(path, value, caffe_pb2.SolverParameter(), setting), path,
                 setting)
        if path == ["test_iter"] and len(solver.param.test_iter) == 1:
            solver.param.test_iter.extend([*solver.param.test_iter] * (tests - 1))
        if path == ["test_interval"] and solver.param.test_interval == 0:
            for name in _TESTS:
                solver.param.ClearField(name)
    prefix = solver.param.snapshot_prefix
    if os.path.isdir(prefix):
        stem = os.path.splitext(os.path.basename(solver.place.file))[0]
        solver.param.snapshot_prefix = os.path.join(prefix, stem)


def layer_changes(settings: Sequence[str]) -> list[Callable[[NetDef], None]]:
    """Return what ``layer.NAME.FIELD=VALUE`` do to a net; other settings are left out."""
    return [partial(_change_layers, setting) for setting in settings
            if _key_and_value(setting)[0].startswith("layer.")]


def only_layer_changes(settings: Sequence[str]) -> list[Callable[[NetDef], None]]:
    """Return the same for a command that has no solver.

    Raises:
        UsageError: a setting is about something else.
    """
    for setting in settings:
        if not _key_and_value(setting)[0].startswith("layer."):
            raise UsageError("--set replaces fields of layers here", got=setting,
                             wanted="layer.NAME.FIELD=VALUE, such as layer.data.batch_size=3")
    return layer_changes(settings)


def _change_layers(setting: str, net: NetDef) -> None:
    """Replace a field in all layers of one name.

    Raises:
        UsageError: no layer has the name, or it has no such field or several.
    """
    key, value = _key_and_value(setting)
    rest = key.removeprefix("layer.")
    names = {layer.param.name for layer in net.layers}
    name = max((name for name in names if rest.startswith(f"{name}.")), key=len, default=None)
    if name is None:
        raise UsageError(f"{net.place.file} has no layer of this name", where=f"--set {setting}",
                         remedy=did_you_mean(nearest(rest.split(".")[0], names)) or
                         "Write layer.NAME.FIELD=VALUE; 'summary' lists the layers")
    for layer in net.layers:
        if layer.param.name == name:
            path = _full_path(layer.param, rest.removeprefix(f"{name}.").split("."), setting)
            change = _parse(path, value, caffe_pb2.LayerParameter(), setting)
            _replace(layer.param, change, path, setting)


def _full_path(param: caffe_pb2.LayerParameter, path: list[str], setting: str) -> list[str]:
    """Put the layer's message that has a field before it, where only one has it."""
    if path[0] in param.DESCRIPTOR.fields_by_name:
        return path
    owners = [field.name for field, value in param.ListFields()
              if isinstance(value, Message) and path[0] in value.DESCRIPTOR.fields_by_name]
    if len(owners) != 1:
        raise UsageError(
            f"layer '{param.name}' has {'several' if owners else 'no'} fields '{path[0]}'",
            where=f"--set {setting}", got=", ".join(owners) or None,
            remedy="Write the message, too, as in layer.data.data_param.batch_size=3")
    return [owners[0], *path]


def _key_and_value(setting: str) -> tuple[str, str]:
    key, equals, value = setting.partition("=")
    if not equals or not key.strip():
        raise UsageError("--set takes key=value", got=setting)
    return key.strip(), value.strip()


def _parse(path: Sequence[str], value: str, empty: Message, setting: str) -> Message:
    """Return a message that holds one field."""
    try:
        return parse_message(_text_format(empty.DESCRIPTOR, path, value), empty,
                             f"--set {setting}")[0]
    except PrototxtError as error:
        remedy = error.remedy or (LAYER_HELP if "has no field" in error.message else None)
        raise UsageError(error.message, where=f"--set {setting}", got=error.got,
                         wanted=error.wanted, remedy=remedy) from None


def _text_format(descriptor: Descriptor | None, path: Sequence[str], value: str) -> str:
    """Return ``a { b: value }`` for the path a, b; text is put in quotes, lists in brackets."""
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
            raise UsageError(f"there are {len(inner)} of '{name}', and --set cannot tell which is "
                             "meant", where=f"--set {setting}",
                             remedy="Change the definition itself.")
        inner, new = inner[0] if inner else inner.add(), new[0]
    _replace(inner, new, path[1:], setting)
