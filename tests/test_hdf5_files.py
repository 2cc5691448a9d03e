"""HDF5 files: links to other files, claims of size, flipped bytes, in every reader."""
from __future__ import annotations

import h5py
import numpy as np
import pytest

from caffe_lrcn import memory
from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import CaffeError, DataError, SnapshotError, WeightsError
from caffe_lrcn.inspection.contents import as_text, read_contents
from caffe_lrcn.language.stream_checks import read_streams
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.weights_io import (
    SolverStateFile,
    read_solverstate,
    read_weights,
    write_solverstate_h5,
    write_weights_h5,
)
from caffe_lrcn.sources.records.hdf5 import HDF5Rows, inspect, read_amplification


def read_rows(path):
    counts, shapes = inspect([path], ["x"])
    reader = HDF5Rows([path], counts, ["x"], shapes)
    try:
        for block in reader.read(np.arange(counts[0])):
            block.write(0, np.empty((block.count, *shapes[0]), np.float32))
        read_amplification(path, "x")
    finally:
        reader.close()


def write_rows(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.arange(24.0).reshape(6, 4), chunks=(2, 4),
                            compression="gzip")


def write_streams(path):
    with h5py.File(path, "w") as file:
        for name in ("cont", "input", "target"):
            file[f"{name}_sentence"] = np.ones((4, 2), np.float32)


def write_weights(path):
    layer = caffe_pb2.LayerParameter(name="ip", type="InnerProduct")
    write_weights_h5(path, [(layer, [np.ones((3, 4), "f4"), np.ones(3, "f4")], [None, None])])


def write_state(path):
    write_solverstate_h5(path, SolverStateFile(7, "a.caffemodel.h5", [np.ones(9, "f4")], 1))


#: name -> writer, reader, a dataset that the reader needs, class of its errors
READERS = {
    "rows": (write_rows, read_rows, "x", DataError),
    "streams": (write_streams, read_streams, "cont_sentence", DataError),
    "weights": (write_weights, read_weights, "data/ip/0", WeightsError),
    "state": (write_state, read_solverstate, "history/0", SnapshotError),
    "iteration": (write_state, read_solverstate, "iter", SnapshotError),
}
every_reader = pytest.mark.parametrize("write, read, name, kind", READERS.values(), ids=READERS)


@every_reader
@pytest.mark.parametrize("how", ["link", "raw", "virtual"])
def test_values_of_other_files_are_refused(tmp_path, write, read, name, kind, how):
    path, other = str(tmp_path / "a.h5"), str(tmp_path / "other.h5")
    write(path)
    write(other)
    read(path)
    with h5py.File(path, "r+") as file:
        shape, dtype = file[name].shape, file[name].dtype
        del file[name]
        if how == "link":
            file[name] = h5py.ExternalLink("other.h5", name)
        elif how == "raw":
            file.create_dataset(name, shape, dtype, external=[(other, 0, 4000)])
        else:
            layout = h5py.VirtualLayout(shape, dtype)
            layout[...] = h5py.VirtualSource(other, name, shape)
            file.create_virtual_dataset(name, layout)
    with pytest.raises(kind, match="a.h5: .*(link to another file|values from other files)"):
        read(path)


def test_a_group_that_is_a_link_to_another_file(tmp_path):
    write_weights(tmp_path / "other.h5")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data"] = h5py.ExternalLink("other.h5", "data")
    with pytest.raises(WeightsError, match="'data' is a link to another file"):
        read_weights(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_group("data")["ip"] = h5py.ExternalLink("other.h5", "data/ip")
    with pytest.raises(WeightsError, match="'ip' is a link to another file"):
        read_weights(tmp_path / "b.h5")


@pytest.mark.parametrize("depth", [0, 40])
def test_links_that_would_be_walked_for_ever(tmp_path, depth):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        group = file.create_group("data")
        for _ in range(depth):  # two ways from each to the next: 2 ** 40 in all
            below = group.create_group("a")
            group["b"] = below
            group = below
        if not depth:
            group["again"] = group
    with pytest.raises(WeightsError, match="a.h5: two links lead to one group"):
        read_weights(tmp_path / "a.h5")


@every_reader
def test_what_claims_more_than_there_is(tmp_path, write, read, name, kind, monkeypatch):
    path = str(tmp_path / "a.h5")
    write(path)
    with h5py.File(path, "r+") as file:
        shape, dtype = file[name].shape, file[name].dtype
        del file[name]
        # Of a chunk that is not there nothing is on the disk.
        claimed = (1 << 17, 1 << 14)[:max(1, len(shape))] if len(shape) > 1 else (1 << 31,)
        chunks = (1 << 14, 1 << 14) if len(claimed) == 2 else (1 << 28,)
        file.create_dataset(name, claimed, dtype, chunks=chunks)
    monkeypatch.setattr(memory, "free_memory", lambda: memory.LARGE)
    with pytest.raises(kind, match="a.h5: .*(does not fit in the memory|is neither a number nor)"):
        read(path)


@pytest.mark.parametrize("name", ["weights", "state", "rows", "streams"])
def test_flipped_bytes(tmp_path, name):
    write, read, _, _ = READERS[name]
    path = str(tmp_path / "a.h5")
    write(path)
    content = (tmp_path / "a.h5").read_bytes()
    rng = np.random.default_rng(sum(map(ord, name)))
    used = np.flatnonzero(np.frombuffer(content, np.uint8))
    for index in range(250):
        damaged = bytearray(content)
        places = used if index % 2 else np.arange(len(content))
        for place in rng.choice(places, rng.integers(1, 4)):
            damaged[place] = rng.choice([0, 1, 255, damaged[place] ^ 1 << rng.integers(0, 8)])
        with open(path, "wb") as file:
            file.write(damaged[:rng.integers(1, len(damaged))] if index % 10 == 0 else damaged)
        for task in (read, inspect_it):
            try:
                task(path)
            except CaffeError:
                pass


def inspect_it(path):
    as_text(path, read_contents(path))


def test_inspect_and_data_tell_it_in_one_line(tmp_path, capsys):
    write_state(tmp_path / "a.h5")
    content = bytearray((tmp_path / "a.h5").read_bytes())
    at = content.index(b"TREE")
    content[at:at + 4] = b"FREE"
    (tmp_path / "a.h5").write_bytes(content)
    assert main(["inspect", str(tmp_path / "a.h5")]) == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path}/a.h5: ")
