"""Tell from its first bytes what a file is, for errors about a file of the wrong kind."""
from __future__ import annotations

import os

from caffe_lrcn.hints import nearest

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
HEAD_BYTES = 4096

WEIGHTS, STATE, ARRAY = "a binary .caffemodel", "a binary .solverstate", "a .binaryproto array"
HDF5, TEXT, EMPTY, OTHER = "an HDF5 file", "a text file", "an empty file", "a binary file"
UTF_16 = "text in UTF-16"

_SIGNATURES = (
    (HDF5_SIGNATURE, HDF5),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\xff\xfe", UTF_16),
    (b"\xfe\xff", UTF_16),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself"),
)
# First bytes of fields: SolverState.iter or BlobProto.num (varints), the fields behind each of
# them, BlobProto.data and .double_data, NetParameter.name, NetParameter.layer and .layers.
_FIRST_VARINT = 0x08
_LEARNED_NET, _HISTORY, _CURRENT_STEP, _CHANNELS = 0x12, 0x1A, 0x20, 0x10
_ARRAY_TAGS = (b"\x2a", b"\x42")
_NAME_TAG = 0x0A
_LAYER_TAGS = (b"\xa2\x06", b"\x12")


def kind_of(head: bytes) -> str:
    """Say in words what a file with these first bytes seems to be."""
    if not head:
        return EMPTY
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if _looks_like_weights(head):
        return WEIGHTS
    if _is_text(head):
        return TEXT
    if head.startswith(_ARRAY_TAGS):
        return ARRAY
    if head[0] == _FIRST_VARINT:
        return _state_or_array(head)
    return OTHER


def _state_or_array(head: bytes) -> str:
    end = 1
    while end < len(head) and head[end] >= 0x80:
        end += 1
    follower = head[end + 1] if end + 1 < len(head) else _LEARNED_NET
    if follower in (_LEARNED_NET, _HISTORY, _CURRENT_STEP):
        return STATE
    return ARRAY if follower == _CHANNELS else OTHER


def _looks_like_weights(head: bytes) -> bool:
    """True if the head is a NetParameter with a short name, followed by a layer."""
    rest = head
    if head[0] == _NAME_TAG and len(head) > 1 and head[1] < 0x80:
        rest = head[2 + head[1]:]
        # Inside a long name nothing can be told from the head alone.
        if not rest and b"\0" not in head and not _is_text(head):
            return True
    return rest.startswith(_LAYER_TAGS) and not _is_text(head)


def _is_text(head: bytes) -> bool:
    # Bytes from 128 on are in UTF-8 or in some older coding, as in the comments of old nets. But
    # no text has one after a newline at its start: that is a net with a long name.
    long_name = head[:1] == bytes([_NAME_TAG]) and head[1:2] >= b"\x80"
    return not long_name and not any(byte < 32 and byte not in b"\t\n\v\f\r\x1b" for byte in head)


def missing_file_remedy(path: str) -> str:
    """Say what stands near a path that does not exist: similar names, or the missing folder."""
    folder = os.path.dirname(path) or "."
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return f"The folder '{folder}' does not exist either (working directory: {os.getcwd()})"
    near = nearest(os.path.basename(path), names, 3)
    if near:
        return f"In the folder '{folder}' there is {', '.join(repr(name) for name in near)}"
    return f"Nothing in the folder '{folder}' has a similar name"
