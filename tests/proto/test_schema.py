"""The compiled schema against the facts, and its isolation from other copies of the schema."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import descriptor_pb2

from caffe_lrcn.proto import caffe_pb2

ROOT = Path(__file__).resolve().parents[2]
FACTS = json.loads((ROOT / "tests" / "golden" / "caffe_schema.json").read_text())
TYPES = descriptor_pb2.FieldDescriptorProto.Type
LABELS = descriptor_pb2.FieldDescriptorProto.Label

# What upstream does not have; numbers of the LRCN branches where upstream leaves them free.
ADDITIONS = {
    ("TransformationParameter", "flow", 10000, "bool", "false"),
    ("AccuracyParameter", "denominator", 4, "float", "0"),
    ("EltwiseParameter", "coeff_blob", 4, "bool", "false"),
    ("ImageDataParameter", "min_height", 13, "uint32", "0"),
    ("ImageDataParameter", "min_width", 14, "uint32", "0"),
    ("NetParameter", "vocabulary_sha256", 10000, "string", None),
    ("LayerParameter", "scalar_param", 10000, "ScalarParameter", None),
    ("LayerParameter", "video_data_param", 10001, "VideoDataParameter", None),
}


def compiled() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto()
    caffe_pb2.DESCRIPTOR.CopyToProto(file)
    return file


def default_of(field: descriptor_pb2.FieldDescriptorProto) -> object:
    return field.default_value if field.HasField("default_value") else None


def rows(message: descriptor_pb2.DescriptorProto) -> dict[str, list]:
    out = {}
    for field in message.field:
        kind = (field.type_name.removeprefix(".caffe.") if field.type_name
                else TYPES.Name(field.type).removeprefix("TYPE_").lower())
        label = LABELS.Name(field.label).removeprefix("LABEL_").lower()
        out[field.name] = [field.name, field.number, label, kind, default_of(field),
                           field.options.packed]
    return out


def same_default(kind: str, got: str | None, wanted: str | None) -> bool:
    if kind == "float" and got is not None and wanted is not None:
        return np.float32(got) == np.float32(wanted)
    return got == wanted


def enums() -> dict[str, dict[str, int]]:
    file = compiled()
    found = {enum.name: enum for enum in file.enum_type}
    for message in file.message_type:
        found.update({f"{message.name}.{enum.name}": enum for enum in message.enum_type})
    return {name: {value.name: value.number for value in enum.value}
            for name, enum in found.items()}


def test_enums_are_those_of_the_facts():
    wanted = {name: entry for name, entry in FACTS.items() if isinstance(entry, dict)}
    assert enums() == wanted | {"VideoDataParameter.Modality": {"RGB": 0, "FLOW": 1}}


def test_messages_are_those_of_the_facts_and_our_additions():
    messages = {message.name: rows(message) for message in compiled().message_type}
    wanted = {name: entry for name, entry in FACTS.items() if isinstance(entry, list)}
    assert set(messages) == set(wanted) | {"ScalarParameter", "VideoDataParameter"}
    extra = set()
    for name, fields in wanted.items():
        for field in fields:
            got = messages[name].pop(field[0])
            assert got[:4] + got[5:] == field[:4] + field[5:], (name, got, field)
            assert same_default(field[3], got[4], field[4]), (name, got, field)
        extra |= {(name, row[0], row[1], row[3], row[4]) for row in messages[name].values()}
    assert extra == ADDITIONS


def test_generated_module_exposes_constants_and_nested_enums():
    assert (caffe_pb2.TRAIN, caffe_pb2.TEST, caffe_pb2.Phase.Name(1)) == (0, 1, "TEST")
    assert caffe_pb2.PoolingParameter.PoolMethod.Value("AVE") == caffe_pb2.PoolingParameter.AVE == 1
    assert caffe_pb2.SolverParameter().type == "SGD"


def test_committed_module_is_what_the_schema_compiles_to():
    pytest.importorskip("grpc_tools")
    code = ("import sys; sys.path.insert(0, 'proto'); import generate as g; "
            "serialised, _ = g.compile_schema(); "
            "assert g.render_module(serialised) == g.MODULE.read_text()")
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


# A stranger: another caffe.proto, with other fields, in protobuf's default pool.
STRANGER = """
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe")
for name in ("NetParameter", "LayerParameter"):
    message = file.message_type.add(name=name)
    message.field.add(name="stranger", number=1, label=1, type=5)
pool = descriptor_pool.Default()
pool.AddSerializedFile(file.SerializeToString())
Other = message_factory.GetMessageClass(pool.FindMessageTypeByName("caffe.NetParameter"))
"""
OURS = "from caffe_lrcn.proto import caffe_pb2\n"
CHECK = """
assert Other(stranger=3).stranger == 3
net = caffe_pb2.NetParameter(name="ours")
net.layer.add(name="x")
assert caffe_pb2.NetParameter.FromString(net.SerializeToString()) == net
"""


@pytest.mark.parametrize("code", [OURS + STRANGER, STRANGER + OURS], ids=["first", "second"])
def test_another_caffe_pb2_in_the_process_does_no_harm(code):
    subprocess.run([sys.executable, "-c", code + CHECK], cwd=ROOT, check=True)
