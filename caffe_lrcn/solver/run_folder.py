"""``runs/NAME``: all that belongs to one training in a folder of its own."""
from __future__ import annotations

import os
from pathlib import Path

from ..errors import SnapshotError, UsageError
from ..files import new_file, remove_leftovers, writing
from ..proto.text import SolverDef, format_text
from .nets import read_named_net

RUNS = Path("runs")


def enter_run(name: str, definition: SolverDef) -> Path:
    """Let a solver write its snapshots and logs to ``runs/NAME``; return that folder.

    Raises:
        UsageError: the name is that of no folder in ``runs``.
    """
    if name in ("", ".", "..") or os.path.basename(name) != name:
        raise UsageError("--run takes the name of a run, not a path", got=repr(name),
                         wanted="such as first, for the folder runs/first")
    folder = RUNS / name
    definition.param.snapshot_prefix = str(folder / name)
    return folder


def write_definitions(folder: Path, definition: SolverDef) -> None:
    """Write the solver and its nets as they are used to a run's folder.

    ``solver.prototxt`` names the copies of the nets, so that it trains the same from the same
    working folder. Those of a former start that differ are kept as ``.old``.

    Raises:
        SnapshotError: a file cannot be written.
        PrototxtError: a net cannot be read.
    """
    param = type(definition.param)()
    param.CopyFrom(definition.param)
    texts = {}
    for path in _net_paths(definition):
        file = folder / f"{'_'.join(map(str, path))}.prototxt"
        texts[file] = format_text(read_named_net(definition, *path).param)
        if len(path) > 1:
            getattr(param, str(path[0]))[path[1]] = str(file)
        else:
            setattr(param, str(path[0]), str(file))
    texts[folder / "solver.prototxt"] = format_text(param)
    with writing(folder, SnapshotError, "the run's folder"):
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(f"{folder}{os.sep}")
        for file, text in texts.items():
            if file.exists():
                if file.read_text(encoding="utf-8") == text:
                    continue
                os.replace(file, f"{file}.old")
            with new_file(file, SnapshotError, "the definition") as stream:
                stream.write(text)


def _net_paths(definition: SolverDef) -> list[tuple[str | int, ...]]:
    """Return where the solver names files of nets."""
    param = definition.param
    single: list[tuple[str | int, ...]] = [
        (field,) for field in ("net", "train_net") if param.HasField(field)]
    return single + [("test_net", index) for index in range(len(param.test_net))]
