"""Files of a snapshot: complete or absent, matched or refused."""
from __future__ import annotations

import errno
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import DivergedError, SnapshotError
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net, read_solver
from caffe_lrcn.solver import snapshot
from caffe_lrcn.solver.resume_file import (
    ResumeFile,
    fingerprint,
    read_resume_file,
    write_resume_file,
)
from caffe_lrcn.solver.solver import Solver

from .tiny import make_task


@pytest.fixture
def task(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_task(tmp_path)


@pytest.fixture
def make(task):
    """Build solvers of the tiny task; they are closed in the end."""
    solvers = []

    def build(**fields) -> Solver:
        definition = read_solver(task)
        for name, value in fields.items():
            setattr(definition.param, name, value)
        solvers.append(Solver(definition))
        return solvers[-1]

    yield build
    for solver in solvers:
        solver.close()


def names(folder: str = "out") -> list[str]:
    return sorted(os.listdir(folder))


def test_a_set_is_written_completely_and_in_order(make, monkeypatch):
    order, original = [], os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append(b), original(a, b)))
    make().step(5)
    assert order == [f"out/tiny_iter_5.{end}" for end in ("caffemodel", "resume", "solverstate")]
    assert names() == ["tiny_iter_5.caffemodel", "tiny_iter_5.resume", "tiny_iter_5.solverstate",
                       "tiny_log.csv"]
    sidecar = read_resume_file("out/tiny_iter_5.resume")
    assert sidecar.files["tiny_iter_5.caffemodel"] == fingerprint("out/tiny_iter_5.caffemodel")
    assert snapshot.load("out/tiny_iter_5.solverstate").state.learned_net == (
        "out/tiny_iter_5.caffemodel")


def test_snapshot_diff_adds_gradients(make):
    from caffe_lrcn.proto.weights_io import read_weights
    make(snapshot_diff=True).step(5)
    layer = next(x for x in read_weights("out/tiny_iter_5.caffemodel").layers if x.name == "fc")
    assert all(diff is not None and diff.any() for diff in layer.diffs)


@pytest.mark.parametrize("step", ["weights", "state", "sidecar", "rename"])
def test_full_disk_leaves_the_older_snapshot(make, monkeypatch, step):
    solver = make()
    solver.step(5)
    before = {name: fingerprint(f"out/{name}") for name in names() if "iter" in name}

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target = {"weights": (solver.net, "save"), "rename": (os, "replace"),
              "state": ("caffe_lrcn.solver.checkpoint.write_solverstate",),
              "sidecar": ("caffe_lrcn.solver.checkpoint.write_resume_file",)}[step]
    monkeypatch.setattr(*target, full)
    with pytest.raises(SnapshotError, match="No space left.*Make room") as error:
        solver.step(5)
    assert "out/tiny_iter_10." in str(error.value)
    assert {name: fingerprint(f"out/{name}") for name in names() if "iter" in name} == before
    monkeypatch.undo()


def test_a_file_that_the_system_refuses_to_grow(make):
    """A real write that fails half-way, not a simulated one."""
    solver = make()
    solver.step(1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, hard))
    try:
        with pytest.raises(SnapshotError, match="File too large"):
            solver.snapshot()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)
    assert names() == ["tiny_log.csv"]


def test_unwritable_folder_is_found_at_the_start(make, task):
    Path("occupied").write_text("")
    with pytest.raises(SnapshotError, match="snapshot_prefix"):
        make(snapshot_prefix="occupied/tiny")
    solver = make(snapshot=0, snapshot_prefix="occupied/tiny")
    with pytest.raises(SnapshotError, match="snapshot_prefix"):
        solver.solve()
    assert solver.iter == 0


def test_leftovers_of_a_kill_are_removed(make):
    os.mkdir("out")
    ended = subprocess.Popen(["true"])
    ended.wait()
    for name in (f"tiny_iter_5.caffemodel.{ended.pid}.partial", "tiny_iter_5.resume.partial",
                 f"tiny_iter_5.caffemodel.{os.getpid()}.partial",
                 "other_iter_5.caffemodel.partial"):
        Path("out", name).write_text("")
    make()
    assert names() == ["other_iter_5.caffemodel.partial"]


def test_an_unplanned_snapshot_makes_its_folder(make):
    solver = make(snapshot_prefix="new/folder/tiny", snapshot=0)
    assert not os.path.exists("new")
    assert solver.snapshot() == "new/folder/tiny_iter_0.solverstate"
    assert os.path.exists("new/folder/tiny_iter_0.caffemodel")


def test_what_another_run_is_writing_is_left_alone(make):
    os.mkdir("out")
    name = f"tiny_iter_5.caffemodel.{os.getppid()}.partial"
    Path("out", name).write_text("")
    make()
    assert names() == [name]


def test_a_name_that_is_taken_does_not_blame_the_disk(make):
    solver = make()
    os.makedirs("out/tiny_iter_0.caffemodel/x")
    with pytest.raises(SnapshotError, match="Is a directory") as error:
        solver.snapshot()
    assert "room" not in str(error.value) and names() == ["tiny_iter_0.caffemodel"]


def test_layers_that_the_snapshot_lacks_are_refused(two_sets, task):
    net = Path("tiny.prototxt")
    net.write_text(net.read_text().replace('name: "predict"', 'name: "other"'))
    solver = Solver(read_solver(task))
    with pytest.raises(SnapshotError, match="'other'.*--weights"):
        solver.restore("latest")
    solver.close()


def test_a_history_of_another_shape_names_its_layer(two_sets, task):
    net = Path("tiny.prototxt")
    net.write_text(net.read_text().replace("num_output: 6", "num_output: 5"))
    solver = Solver(read_solver(task))
    with pytest.raises(SnapshotError, match=r"layer 'lstm'.*got \(24, 5\), wanted \(20, 5\)"):
        solver.restore("latest")
    solver.close()


@pytest.fixture
def two_sets(make) -> None:
    make(max_iter=10).solve()
    assert sum("iter" in name for name in names()) == 6


def test_latest_is_the_furthest_complete_set(two_sets, tmp_path):
    assert snapshot.find("latest", "out/tiny") == "out/tiny_iter_10.solverstate"
    assert snapshot.find("out/tiny", "elsewhere") == "out/tiny_iter_10.solverstate"
    os.remove("out/tiny_iter_10.caffemodel")
    assert snapshot.find("latest", "out/tiny") == "out/tiny_iter_5.solverstate"


def test_latest_is_the_furthest_whatever_was_written_last(two_sets):
    for name in names():
        if "iter_10" in name:
            os.utime(f"out/{name}", (1, 1))
    assert snapshot.find("latest", "out/tiny") == "out/tiny_iter_10.solverstate"


def test_latest_is_not_what_a_run_that_went_back_has_given_up(two_sets, make, caplog):
    """Also if it is killed before its first snapshot."""
    solver = make(max_iter=12, snapshot=100)
    solver.restore("out/tiny_iter_5.solverstate")
    assert "goes back to out/tiny_iter_5.solverstate" in caplog.text
    assert "up to out/tiny_iter_10.solverstate" in caplog.text
    assert snapshot.find("latest", "out/tiny") == "out/tiny_iter_5.solverstate"
    caplog.clear()
    again = make(max_iter=12, snapshot=100)
    again.restore("latest")
    again.step(2)
    again.snapshot()
    assert "goes back" not in caplog.text  # it has gone back already
    assert snapshot.find("latest", "out/tiny") == "out/tiny_iter_7.solverstate"
    again.step(5)
    again.snapshot()
    assert snapshot.find("latest", "out/tiny") == "out/tiny_iter_12.solverstate"
    make().restore("out/tiny_iter_10.solverstate")  # whoever wants it can still have it
    assert snapshot.find("latest", "out/tiny") == "out/tiny_iter_10.solverstate"


def test_a_state_without_a_sidecar_says_what_it_leaves_behind(two_sets, make, caplog):
    os.remove("out/tiny_iter_5.resume")
    solver = make()
    solver.restore("out/tiny_iter_5.solverstate")
    assert "up to out/tiny_iter_10.solverstate" in caplog.text
    solver.step(1)
    solver.snapshot()
    assert snapshot.find("latest", "out/tiny") == "out/tiny_iter_6.solverstate"


def test_a_changed_file_is_skipped_and_refused(two_sets, make, caplog):
    path = Path("out/tiny_iter_10.caffemodel")
    changed = bytearray(path.read_bytes())
    changed[-9] ^= 1
    path.write_bytes(changed)
    assert snapshot.find("latest", "out/tiny") == "out/tiny_iter_5.solverstate"
    assert "Skipping an incomplete snapshot" in caplog.text
    with pytest.raises(SnapshotError, match="does not belong.*remove the .resume file"):
        make().restore("out/tiny_iter_10.solverstate")


def test_a_sidecar_of_another_iteration_is_refused(two_sets, make):
    shutil.copy("out/tiny_iter_5.resume", "out/tiny_iter_10.resume")
    with pytest.raises(SnapshotError, match="does not belong"):
        make().restore("out/tiny_iter_10.solverstate")


def test_a_damaged_sidecar_is_refused(two_sets, make):
    for content in (b"", b"PK\x03\x04 no", Path("out/tiny_iter_10.resume").read_bytes()[:-40]):
        Path("out/tiny_iter_10.resume").write_bytes(content)
        with pytest.raises(SnapshotError, match="damaged"):
            make().restore("out/tiny_iter_10.solverstate")


def test_a_folder_that_was_moved_takes_its_own_weights(two_sets, make, tmp_path):
    """With a sidecar the weights beside the state count, not those at the old path."""
    shutil.copytree("out", "moved")
    Path("out/tiny_iter_10.caffemodel").write_bytes(b"others")
    solver = make()
    solver.restore("moved/tiny_iter_10.solverstate")
    assert solver.iter == 10


def test_without_a_sidecar_there_is_a_warning(two_sets, make, caplog):
    shutil.copytree("out", "moved")
    shutil.rmtree("out")
    os.remove("moved/tiny_iter_10.resume")
    solver = make()
    solver.restore("moved/tiny_iter_10.solverstate")
    assert solver.iter == 10 and "has no .resume file" in caplog.text
    os.remove("moved/tiny_iter_10.caffemodel")
    with pytest.raises(SnapshotError, match="Put tiny_iter_10.caffemodel beside"):
        solver.restore("moved/tiny_iter_10.solverstate")


@pytest.mark.parametrize(("request_", "message"), [
    ("out/tiny_iter_5.caffemodel", "--weights"), ("absent.caffemodel.h5", "--weights"),
    ("out/tiny_iter_6.solverstate", "tiny_iter_5.solverstate"),
    ("nothing/here", "no complete snapshot"), ("out", "this is a folder")])
def test_requests_that_name_no_snapshot(two_sets, request_, message):
    with pytest.raises(SnapshotError, match=message):
        snapshot.find(request_, "out/tiny")


def test_weights_under_the_name_of_a_state(two_sets, make):
    os.remove("out/tiny_iter_5.resume")
    shutil.copy("out/tiny_iter_5.caffemodel", "out/tiny_iter_5.solverstate")
    with pytest.raises(SnapshotError, match="--weights"):
        make().restore("out/tiny_iter_5.solverstate")


def test_a_solver_of_another_type_is_refused(two_sets, make):
    with pytest.raises(SnapshotError, match="histories.*another type"):
        make(type="Adam").restore("latest")


def test_another_number_of_test_nets_is_refused(two_sets, task):
    definition = read_solver(task)
    del definition.param.test_iter[1:], definition.param.test_state[1:]
    solver = Solver(definition)
    with pytest.raises(SnapshotError, match="test nets"):
        solver.restore("latest")
    solver.close()


def test_diverged_weights_are_not_saved(make):
    solver = make()
    solver.step(5)
    solver.net.params["fc"][0].host_data[0, 0] = np.inf
    with pytest.raises(DivergedError, match="layer 'fc'.*tiny_iter_5.solverstate"):
        solver.snapshot()
    assert sum("iter" in name for name in names()) == 3


def test_resume_file_round_trip(tmp_path):
    path = str(tmp_path / "x.resume")
    content = ResumeFile(
        iteration=3, seed=2**63 + 1, written=0.1, files={},
        losses={"losses": [], "next": 0, "mean": 0.1 + 0.2},
        train={"a": {"cursor": 2**64 - 1, "h": np.arange(6, dtype="f4").reshape(2, 3)}},
        tests=[{}, {"b": {"flag": True, "none": None, "list": [1, "x", np.float32(0.5)]}}])
    write_resume_file(path, content)
    got = read_resume_file(path)
    np.testing.assert_equal(vars(got), vars(content))
    assert got.train["a"]["h"].dtype == np.float32


@pytest.mark.parametrize("bad", [{"x": {1: 2}}, {"x": object()}, {"x": np.array([None])}])
def test_resume_file_refuses_what_it_cannot_hold(tmp_path, bad):
    with pytest.raises(TypeError, match="layer's state"):
        write_resume_file(str(tmp_path / "x"), ResumeFile(0, 0, 0, {}, {}, train=bad))


def test_a_sidecar_is_read_whole_or_refused(tmp_path):
    content = ResumeFile(7, 1, 1.5, {}, {"losses": [1.0], "next": 0, "mean": 1.0},
                         {"size": 3, "crc": 4}, {"data": {"x": np.arange(99.0)}}, [{}], {})
    path = tmp_path / "a.resume"
    write_resume_file(str(path), content)
    whole = path.read_bytes()

    def archive(header, method=zipfile.ZIP_STORED, array=None):
        with zipfile.ZipFile(path, "w", method) as file:
            for name, value in (("header", np.frombuffer(header, np.uint8)), ("a0", array)):
                stream = io.BytesIO()
                np.lib.format.write_array(stream, np.asarray(value), allow_pickle=True)
                file.writestr(f"{name}.npy", stream.getvalue())

    header = json.loads(np.load(io.BytesIO(whole))["header"].tobytes())
    for wrong in (b"1", b"[]", b"null", b"{}", b"[" * 100_000, b"\xff", b'{"format": 1}',
                  *(json.dumps(header | {name: value}).encode() for name in header
                    for value in ("x", [[]], None, -1.5) if (name, value) != ("csv", None))):
        archive(wrong)
        with pytest.raises(SnapshotError, match="a.resume: the resume file (is damaged|has an)"):
            read_resume_file(str(path))
    archive(json.dumps(header).encode(), array=np.zeros(9))
    assert read_resume_file(str(path)).iteration == 7
    archive(json.dumps(header).encode(), array=np.array([{}], dtype=object))  # would be unpickled
    with pytest.raises(SnapshotError, match="damaged.*allow_pickle"):
        read_resume_file(str(path))
    archive(json.dumps(header).encode(), zipfile.ZIP_DEFLATED, np.zeros(1 << 20))
    with pytest.raises(SnapshotError, match="damaged: it is compressed or encrypted"):
        read_resume_file(str(path))
    for offset, value in ((6, 1), (8, 12), (8, 99)):  # encrypted; bzip2; nobody knows
        damaged = bytearray(whole)
        for start, shift in ((b"PK\3\4", 0), (b"PK\1\2", 2)):
            at = damaged.find(start)
            while at >= 0:
                damaged[at + offset + shift] = value
                at = damaged.find(start, at + 1)
        path.write_bytes(damaged)
        with pytest.raises(SnapshotError, match="damaged"):
            read_resume_file(str(path))
    path.unlink()
    path.mkdir()
    with pytest.raises(SnapshotError, match="damaged"):
        read_resume_file(str(path))


def test_flipped_bytes_of_a_sidecar(tmp_path):
    path, rng = tmp_path / "a.resume", np.random.default_rng(3)
    write_resume_file(str(path), ResumeFile(7, 1, 1.5, {}, {"losses": [], "next": 0, "mean": 0.0},
                                            train={"data": {"x": np.arange(9.0)}}))
    whole = path.read_bytes()
    for index in range(400):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), rng.integers(1, 5)):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(damaged[:rng.integers(0, len(whole))] if index % 5 == 0 else damaged)
        with suppress(SnapshotError):
            read_resume_file(str(path))


@pytest.mark.parametrize("state", [{"calls": "x"}, {"calls": []}, {}, {"calls": float("inf")}])
def test_a_state_that_does_not_fit_its_layer(state):
    net = Net(parse_net('''
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
        layer { name: "d" type: "Dropout" bottom: "x" top: "y" }'''), get_backend("cpu"), phase=0)
    with pytest.raises(SnapshotError, match="layer 'd': the saved state does not fit the layer"):
        net.restore({"d": state})
