"""Event files have what the CSV log has; resuming replaces what a former run wrote later."""
from __future__ import annotations

import csv
import struct
import sys
from pathlib import Path

import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.solver import checkpoint

from .tiny import make_task

pytest.importorskip("tensorboardX")


@pytest.fixture
def task(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_task(tmp_path)


def scalars(folder: Path) -> dict[tuple[str, int], float]:
    """Return values by name and step, as TensorBoard shows them."""
    from tensorboardX.proto.event_pb2 import Event, SessionLog
    found: dict[tuple[str, int], float] = {}
    for path in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns):
        rest = path.read_bytes()
        while rest:
            (size,) = struct.unpack("<Q", rest[:8])
            event, rest = Event.FromString(rest[12:12 + size]), rest[16 + size:]
            if event.session_log.status == SessionLog.START:
                found = {key: value for key, value in found.items() if key[1] < event.step}
            for value in event.summary.value:
                assert (value.tag, event.step) not in found
                found[value.tag, event.step] = value.simple_value
    return found


def table() -> dict[tuple[str, int], float]:
    """Return the same from the CSV log."""
    found = {}
    with open("out/tiny_log.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            step, net = int(row.pop("iteration")), row.pop("net").replace(" ", "_")
            rate = row.pop("lr")
            if net == "train":
                found["lr", step] = float(rate)
            found |= {(f"{name}/{net}", step): float(value) for name, value in row.items() if value}
    return found


def test_the_values_are_those_of_the_table(task):
    assert main(["train", "--solver", str(task), "--cpu", "--tensorboard"]) == 0
    found = scalars(Path("out/tiny_tensorboard"))
    assert ("accuracy/test_1", 8) in found and ("mean_loss/train", 18) in found
    assert found == pytest.approx(table(), rel=1e-6)


def test_a_resumed_run_replaces_what_came_after_its_snapshot(task):
    words = ["train", "--solver", str(task), "--cpu", "--tensorboard", "events"]
    assert main(words) == 0
    whole = scalars(Path("events"))
    assert main([*words, "--snapshot", "out/tiny_iter_10.solverstate"]) == 0
    assert len(list(Path("events").iterdir())) == 2
    assert scalars(Path("events")) == whole == pytest.approx(table(), rel=1e-6)


def test_what_is_missing(task, monkeypatch, capsys):
    words = ["train", "--solver", str(task), "--cpu", "--tensorboard"]
    Path("file").write_text("")
    assert main([*words, "file/events"]) == 1
    assert "the event file cannot be written" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    assert main(words) == 1
    assert "pip install tensorboardX" in capsys.readouterr().err


def test_rows_are_in_the_file_before_the_snapshot_is_complete(task, monkeypatch):
    """A kill right after the snapshot loses none of the rows before it."""
    seen, original = [], checkpoint.save

    def save(*words):
        seen.append(max(step for _, step in scalars(Path("out/tiny_tensorboard"))))
        return original(*words)
    monkeypatch.setattr(checkpoint, "save", save)
    assert main(["train", "--solver", str(task), "--tensorboard"]) == 0
    assert seen and seen == sorted(set(seen)) and seen[0] > 0
