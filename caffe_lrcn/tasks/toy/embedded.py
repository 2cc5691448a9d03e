"""The embedded data set, and what the default definitions need of it, made when it is missing.

    data/toy                  generated pictures and captions
    data/captions             vocabulary, caption streams and picture lists of them
    data/convnet.caffemodel   the picture net, pre-trained on what the pictures show

One's own data under ``data/captions`` are left as they are.
"""
from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...files import PARTIAL, replacing
from ...language.caption_files import read_captions
from ...layer_types.base import Settings
from ...paths import resolve
from ...printable import printable_lines
from ...proto.text import SolverDef, read_net, read_solver
from ...solver.console import Console
from ...solver.snapshot import set_paths
from ..captioning import conversion
from ..captioning.prepare import Recipe, write_data_set
from ..training import train_to_the_end
from .dataset import read_scenes, write_dataset

TOY, CAPTIONS, CONVNET = Path("data/toy"), Path("data/captions"), Path("data/convnet.caffemodel")
CONVNET_SOLVER = "prototxt/convnet_solver.prototxt"
#: Captions side by side: the batch size of prototxt/lrcn.prototxt.
STREAMS, TIMESTEPS = 32, 20
IMAGES = 8000


@dataclass(frozen=True)
class Embedded:
    """Makes what is missing; says on stderr what it does.

    Args:
        images: number of training pictures to generate.
        settings: of the nets that are trained.
        console: shows the trainings on a terminal.
    """

    images: int = IMAGES
    settings: Settings = field(default_factory=Settings)
    console: Console | None = None

    def make_missing(self, definition: SolverDef) -> None:
        """Make what a solver names of the embedded data and is not there yet.

        Args:
            definition: the solver; its ``weights`` and the sources of its net's data layers count.

        Raises:
            DataError: something cannot be written.
        """
        for name in _named_files(definition):
            path = Path(name)
            if path == CONVNET and not path.exists():
                self.make_convnet()
            elif CAPTIONS in path.parents and not path.exists() and captions_missing():
                self.make_captions()
            elif TOY in path.parents:
                self.make_toy()

    def check_nothing_is_missing(self, definition: SolverDef) -> None:
        """Refuse a solver that needs what ``make_missing`` would make.

        Raises:
            DataError: something is missing.
        """
        parts = (CONVNET, CAPTIONS, TOY)
        missing = [str(part) for part in parts for name in map(Path, _named_files(definition))
                   if not name.exists() and part in (name, *name.parents)]
        if missing:
            raise DataError("data of the default job are not there yet",
                            got=f"no {', no '.join(dict.fromkeys(missing))}",
                            remedy="A training makes them when it starts; start one first")

    def make_toy(self) -> None:
        """Generate pictures and captions, unless they are there."""
        if not TOY.exists():
            _say(f"There is no {TOY}: generating {self.images} pictures with captions")
            TOY.parent.mkdir(parents=True, exist_ok=True)
            write_dataset(TOY, self.images, report=_say)

    def make_captions(self) -> None:
        """Turn the generated captions into streams; goes on where it was interrupted."""
        self.make_toy()
        whole = "whole " if CAPTIONS.exists() else ""
        _say(f"There is no {whole}{CAPTIONS}: turning the captions of {TOY} into streams")
        captions = {split: read_captions("coco", TOY / f"captions_{split}.json")
                    for split in ("train", "val")}
        min_count = 1 if self.images < IMAGES else 5
        origin = {"sources": _toy_sources(), "min_count": min_count}
        write_data_set(Recipe(CAPTIONS, STREAMS, TIMESTEPS, resume=True, origin=origin), captions,
                       TOY / "images", _say, min_count=min_count)

    def check_captions(self) -> None:
        """See that the streams are those of the generated captions, and as many as wanted.

        Raises:
            DataError: they were made from other files, or of other pictures.
        """
        for folder in sorted(CAPTIONS.glob("buffer_*/*")):
            entry = conversion.read(CAPTIONS, folder)
            if entry is not None and entry.get("sources") != _toy_sources():
                raise DataError("these streams were not made from the generated pictures",
                                where=folder, got=", ".join(entry.get("sources", ())),
                                wanted=f"captions of {TOY}",
                                remedy=f"Run the demonstration in another folder, or move "
                                       f"{CAPTIONS} away")
        made = len(read_scenes(TOY / "captions_train.json"))
        if made != self.images:
            raise DataError("another number of pictures was generated", where=TOY, got=made,
                            wanted=self.images, remedy=f"Say --images {made}, or run the "
                            "demonstration in another folder")

    def make_convnet(self, iterations: int | None = None) -> None:
        """Train the picture net on what the generated pictures show.

        Args:
            iterations: replaces the solver's ``max_iter``.
        """
        self.make_toy()
        weights = self.train(CONVNET_SOLVER, f"There is no {CONVNET}: training the picture net",
                             iterations)
        with replacing(CONVNET, DataError, "the picture net") as copy:
            shutil.copyfile(weights, copy)  # the snapshot stays whole

    def train(self, solver: str, reason: str, iterations: int | None = None,
              weights: Path | None = None) -> Path:
        """Train as a solver says, from its furthest snapshot if there is one; return the weights.

        Args:
            solver: the definition.
            reason: what is said when it begins.
            iterations: replaces the solver's ``max_iter``.
            weights: replaces the solver's ``weights``.

        Raises:
            CaffeError: the training failed.
            KeyboardInterrupt: it was stopped by a signal, and took a snapshot.
        """
        definition = read_solver(resolve(solver))
        param = definition.param
        param.max_iter = iterations or param.max_iter
        if weights is not None:
            param.weights[:] = [str(weights)]
        _say(f"{reason} for {param.max_iter} iterations")
        return train_to_the_end(definition, self.settings, self.console)


def _toy_sources() -> dict[str, Any]:
    return conversion.sources(TOY / f"captions_{split}.json" for split in ("train", "val"))


def captions_missing() -> bool:
    """Return whether there are no streams, or only what an interruption left of them."""
    splits = list(CAPTIONS.glob("buffer_*/*"))
    return not splits or any(split.suffix == PARTIAL for split in splits)


def weights_of(solver: str, iterations: int | None = None) -> Path:
    """Return where a training leaves its weights at its end."""
    param = read_solver(resolve(solver)).param
    return Path(set_paths(param.snapshot_prefix, iterations or param.max_iter, hdf5=False).weights)


def _named_files(definition: SolverDef) -> list[str]:
    names = [name.strip() for item in definition.param.weights for name in item.split(",")]
    if definition.param.HasField("net"):
        net = read_net(resolve(definition.param.net, definition.place.file))
        for layer in net.layers:
            names += [layer.param.image_data_param.source, layer.param.hdf5_data_param.source]
    return [name for name in names if name]


def _say(line: str) -> None:
    print(printable_lines(line), file=sys.stderr, flush=True)
