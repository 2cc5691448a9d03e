"""Messages from bytes, whatever their strings hold."""
from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from caffe_lrcn.errors import WeightsError
from caffe_lrcn.proto.wire import LEN, Wire, encode_bytes


def merge_bytes(message: Message, data: bytes) -> None:
    """Parse bytes into an empty message; strings that are not UTF-8 get replacement characters.

    protobuf takes such strings and fails later, when somebody reads them.

    Raises:
        DecodeError: the bytes are damaged, or another message.
    """
    try:
        message.MergeFromString(data)
        sound = _strings_are_text(message)
    except UnicodeDecodeError:
        sound = False
    except (ValueError, RuntimeError) as error:  # protobuf without its C library
        raise DecodeError(str(error)) from None
    if not sound:
        message.Clear()
        try:
            message.MergeFromString(_in_utf_8(message.DESCRIPTOR, data))
        except WeightsError as error:
            raise DecodeError(error.message) from None


def _strings_are_text(message: Message) -> bool:
    """Tell whether all strings can be read; repeated ones come as bytes if they cannot."""
    for field, value in message.ListFields():
        items: Any = [value] if isinstance(value, (Message, str)) else value
        if field.message_type is not None:
            if not all(map(_strings_are_text, items)):
                return False
        elif field.type == FieldDescriptor.TYPE_STRING and any(
                not isinstance(item, str) for item in items):
            return False
    return True


def _in_utf_8(descriptor: Descriptor, data: bytes) -> bytes:
    """Return a message's bytes with all of its strings in UTF-8."""
    out = bytearray()
    for entry in Wire(memoryview(data), "").fields(0, len(data), "the message"):
        field = descriptor.fields_by_number.get(entry.number)
        payload = data[entry.start:entry.end]
        if field is None or entry.wire_type != LEN:
            out += data[entry.tag_start:entry.end]
        elif field.message_type is not None:
            out += encode_bytes(entry.number, _in_utf_8(field.message_type, payload))
        elif field.type == FieldDescriptor.TYPE_STRING:
            out += encode_bytes(entry.number, payload.decode("utf-8", "replace").encode())
        else:
            out += data[entry.tag_start:entry.end]
    return bytes(out)
