#!/usr/bin/env python3
"""Compile proto/caffe.proto into caffe_lrcn/proto/caffe_pb2.py and its type stub caffe_pb2.pyi.

Needs the grpcio-tools package (a protoc that pip can install); only whoever changes the schema
needs it. protoc's own Python output is not used: it registers its messages in protobuf's default
pool, where a second `caffe_pb2` in the process would collide with ours, and it refuses protobuf
releases older than itself.
"""
from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "proto" / "caffe.proto"
MODULE = ROOT / "caffe_lrcn" / "proto" / "caffe_pb2.py"
BYTES_PER_LINE = 32

HEADER = '''\
# Generated from proto/caffe.proto by proto/generate.py (make proto). Do not edit.
# ruff: noqa
"""The messages and enums of Caffe's schema, in a descriptor pool of their own."""
from google.protobuf import descriptor_pool as _descriptor_pool
from google.protobuf import message_factory as _message_factory
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper

# Private, so that another caffe_pb2 in the process (also package "caffe") does no harm.
_pool = _descriptor_pool.DescriptorPool()
_pool.AddSerializedFile(bytes.fromhex(
'''

STUB_HEADER = '''\
# Generated from proto/caffe.proto by proto/generate.py (make proto). Do not edit.
# ruff: noqa
# mypy: ignore-errors
'''


def compile_schema() -> tuple[bytes, str]:
    """Run protoc on the schema and return (serialised FileDescriptorProto, type stub)."""
    try:
        from grpc_tools import protoc
    except ImportError:
        sys.exit("proto/generate.py: grpcio-tools is missing; run: pip install grpcio-tools")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        code = protoc.main(["protoc", f"--proto_path={SCHEMA.parent}",
                            f"--descriptor_set_out={out / 'set.bin'}", f"--pyi_out={out}",
                            SCHEMA.name])
        if code:
            sys.exit(f"proto/generate.py: protoc failed on {SCHEMA}")
        files = descriptor_pb2.FileDescriptorSet.FromString((out / "set.bin").read_bytes())
        for message in files.file[0].message_type:
            for field in message.field:
                field.ClearField("json_name")  # always the default; a fifth of the bytes
        stub = (out / "caffe_pb2.pyi").read_text(encoding="utf-8")
    # protobuf 7 sorts nothing here, but an older one might: serialise deterministically.
    return files.file[0].SerializeToString(deterministic=True), stub


def render_module(serialised: bytes) -> str:
    """Write the text of caffe_pb2.py for a serialised FileDescriptorProto."""
    file = descriptor_pb2.FileDescriptorProto.FromString(serialised)
    chunks = [serialised[i:i + BYTES_PER_LINE] for i in range(0, len(serialised), BYTES_PER_LINE)]
    lines = [HEADER.rstrip("\n")]
    lines += [f'    "{chunk.hex()}"' for chunk in chunks]
    lines += ["))", "", f'DESCRIPTOR = _pool.FindFileByName("{file.name}")',
              "_message, _enum = DESCRIPTOR.message_types_by_name, DESCRIPTOR.enum_types_by_name",
              "_class = _message_factory.GetMessageClass", ""]
    for enum in file.enum_type:
        lines.append(f'{enum.name} = _enum_type_wrapper.EnumTypeWrapper(_enum["{enum.name}"])')
        lines += [f"{value.name} = {value.number}" for value in enum.value]
    lines += [f'{message.name} = _class(_message["{message.name}"])'
              for message in file.message_type]
    return "\n".join(lines) + "\n"


def main() -> None:
    serialised, stub = compile_schema()
    MODULE.write_text(render_module(serialised), encoding="utf-8")
    MODULE.with_suffix(".pyi").write_text(STUB_HEADER + stub, encoding="utf-8")


if __name__ == "__main__":
    main()
