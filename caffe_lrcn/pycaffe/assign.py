"""Python values into messages. Source: python/caffe/net_spec.py."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.message import Message

from ..errors import MissingNameError
from ..proto.caffe_pb2 import LayerParameter


def param_name_dict() -> dict[str, str]:
    """Return layer type → stem of its field: ``{"Convolution": "convolution", …}``."""
    fields = [field for field in LayerParameter.DESCRIPTOR.fields
              if field.name.endswith("_param") and field.message_type]
    return {field.message_type.name.removesuffix("Parameter"): field.name.removesuffix("_param")
            for field in fields}


def assign_proto(proto: Message, name: str, val: Any) -> None:
    """Set a field of a message: lists for repeated fields, dicts for messages, or plain values.

    A single value for a repeated field becomes a list of one.

    Raises:
        MissingNameError: the message has no such field.
        TypeError, ValueError: a value of the wrong type, or an unknown name of an enum.
    """
    field = proto.DESCRIPTOR.fields_by_name.get(name)
    if field is None:
        raise MissingNameError(f"{proto.DESCRIPTOR.name} has no field '{name}'",
                               wanted=", ".join(proto.DESCRIPTOR.fields_by_name))
    target = getattr(proto, name)
    if hasattr(target, "extend"):  # repeated
        single = isinstance(val, (str, bytes, Mapping)) or not isinstance(val, Iterable)
        for item in [val] if single else val:
            _append(target, item)
    elif isinstance(val, Mapping):
        target.SetInParent()  # an empty dict still says that the message is there
        for key, value in val.items():
            assign_proto(target, key, value)
    elif isinstance(val, Message):
        target.CopyFrom(val)
    else:
        setattr(proto, name, val)


def _append(target: Any, item: Any) -> None:
    if isinstance(item, Mapping):
        message = target.add()
        for key, value in item.items():
            assign_proto(message, key, value)
    elif isinstance(item, Message):
        target.add().CopyFrom(item)
    else:
        target.append(item)
