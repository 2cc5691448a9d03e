"""The embedded data set, and what the default definitions need of it, made when it is missing.

    data/toy                  generated pictures and captions
    data/captions             vocabulary, caption streams and picture lists of them
    data/convnet.caffemodel   the picture net, pre-trained on what the pictures show

One's own data under ``data/captions`` are left as they are.
"""
from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CaffeError, DataError

if TYPE_CHECKING:
    from ..proto.text import SolverDef

TOY, CAPTIONS, CONVNET = Path("data/toy"), Path("data/captions"), Path("data/convnet.caffemodel")
CONVNET_SOLVER = "prototxt/convnet_solver.prototxt"
#: Captions side by side: the batch size of prototxt/lrcn.prototxt.
STREAMS, TIMESTEPS = 32, 20
IMAGES = 8000


def make_missing(definition: SolverDef, images: int = IMAGES) -> None:
    """Make what a solver names of the embedded data and is not there yet.

    Args:
        definition: the solver; its ``weights`` and the sources of its net's data layers count.
        images: number of training pictures to generate.

    Raises:
        DataError: something cannot be written.
    """
    for name in _named_files(definition):
        path = Path(name)
        if path == CONVNET and not path.exists():
            make_convnet(images)
        elif _below(path, CAPTIONS) and not path.exists() and captions_missing():
            make_captions(images)
        elif _below(path, TOY) and not TOY.exists():
            make_toy(images)


def make_toy(images: int = IMAGES) -> None:
    """Generate pictures and captions, unless they are there."""
    if not TOY.exists():
        from ..tasks.toy import write_dataset
        _say(f"There is no {TOY}: generating {images} pictures with captions")
        TOY.parent.mkdir(parents=True, exist_ok=True)
        write_dataset(TOY, images, report=_say)


def captions_missing() -> bool:
    """Return whether there are no streams, or only what an interruption left of them."""
    from ..tasks.captioning.prepare import PARTIAL
    splits = list(CAPTIONS.glob("buffer_*/*"))
    return not splits or any(split.suffix == PARTIAL for split in splits)


def make_captions(images: int = IMAGES) -> None:
    """Turn the generated captions into streams; goes on where it was interrupted."""
    make_toy(images)
    whole = "whole " if CAPTIONS.exists() else ""
    _say(f"There is no {whole}{CAPTIONS}: turning the captions of {TOY} into streams")
    run_command("data", "captions", "--format", "coco", "--images", str(TOY / "images"),
                "--captions", str(TOY / "captions_train.json"),
                "--val-captions", str(TOY / "captions_val.json"),
                "--out", str(CAPTIONS), "--resume",
                "--streams", str(STREAMS), "--timesteps", str(TIMESTEPS),
                "--min-count", "1" if images < IMAGES else "5")


def make_convnet(images: int = IMAGES, iterations: int | None = None) -> None:
    """Train the picture net on what the generated pictures show; resumes a run that was killed.

    Args:
        images: number of training pictures, if they have to be generated first.
        iterations: replaces the solver's ``max_iter``.
    """
    make_toy(images)
    weights = train(CONVNET_SOLVER, f"There is no {CONVNET}: training the picture net", iterations)
    copy = CONVNET.with_name(CONVNET.name + ".partial")  # a copy: the snapshot stays whole
    shutil.copyfile(weights, copy)
    os.replace(copy, CONVNET)


def train(solver: str, reason: str, iterations: int | None = None) -> Path:
    """Train as a solver says, from its newest snapshot if there is one; return the weights' path.

    Args:
        solver: the definition.
        reason: what is said when it begins.
        iterations: replaces the solver's ``max_iter``.

    Raises:
        DataError: the training failed.
        KeyboardInterrupt: it was stopped by a signal, and took a snapshot.
    """
    from ..solver.snapshot import LATEST
    prefix, last = _ending(solver, iterations)
    _say(f"{reason} for {last} iterations")
    words = ["train", "--solver", solver, "--set", f"max_iter={last}"]
    states = Path(prefix).parent.glob(f"{Path(prefix).name}_iter_*.solverstate")
    taken = [int(state.stem.rpartition("_")[2]) for state in states]
    if taken and max(taken) <= last:  # those of a longer run are of no use
        words += ["--snapshot", LATEST]
    run_command(*words)
    weights = weights_of(solver, iterations)
    if not weights.exists():
        _say("The same command as before goes on from there, too.")
        raise KeyboardInterrupt
    return weights


def weights_of(solver: str, iterations: int | None = None) -> Path:
    """Return where a training leaves its weights at its end."""
    from ..solver.snapshot import set_paths
    return Path(set_paths(*_ending(solver, iterations), hdf5=False).weights)


def _ending(solver: str, iterations: int | None) -> tuple[str, int]:
    """Return the prefix of a solver's snapshots and its last iteration."""
    from ..paths import resolve
    from ..proto.text import read_solver
    param = read_solver(resolve(solver)).param
    return param.snapshot_prefix, iterations or param.max_iter


def _named_files(definition: SolverDef) -> list[str]:
    from ..paths import resolve
    from ..proto.text import read_net
    names = [name.strip() for item in definition.param.weights for name in item.split(",")]
    if definition.param.HasField("net"):
        net = read_net(resolve(definition.param.net, definition.place.file))
        for layer in net.layers:
            names += [layer.param.image_data_param.source, layer.param.hdf5_data_param.source]
    return [name for name in names if name]


def _below(path: Path, folder: Path) -> bool:
    return folder in path.parents


def run_command(*words: str) -> None:
    """Run a command of this program within the process.

    Raises:
        CaffeError: the command failed.
    """
    from .main import COMMANDS, long_flags
    module_name, _ = COMMANDS[words[0]]
    from importlib import import_module
    module = import_module(f".{module_name}", __package__)
    parser = argparse.ArgumentParser(prog=f"caffe-lrcn {words[0]}")
    module.add_arguments(parser)
    try:
        code = module.run(parser.parse_args(long_flags(words[1:])))
    except OSError as error:
        if isinstance(error, CaffeError):
            raise
        raise DataError(f"cannot make the embedded data: {error}") from error
    if code:
        raise DataError("making the embedded data failed", got=f"exit code {code}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
