"""From generated clips to the material of the systems: a net, a CRF, roles and features."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import DataError
from ...files import replacing
from ...hdf5_files import new_hdf5
from ...paths import resolve
from ...proto.text import NetDef, read_solver
from ..description.clip_net import ClipNet
from ..description.crf_graph import choose_edges
from ..description.labelling import Agreement, Recipe, compare, label, label_in_turn
from ..description.roles import Roles, moved, read_roles, video_paths, write_roles
from .material import SPLITS, Material, Report, Training

SOLVER = "prototxt/description/small/roles_solver.prototxt"
NET, DEPLOY = (f"prototxt/description/small/roles{ending}.prototxt" for ending in ("", ".deploy"))
#: What it takes the roles from: the generated videos, or a simulated recogniser.
SOURCES = ("pixels", "noisy")
_FRAMES = "frames"  # blob: (T, N, F) what the convnet sees in each frame
_CLIPS = "data/toy-roles"  # what the definitions call the folder of the clips


@dataclass(frozen=True)
class Clips:
    """Makes the data layers of the net read the clips of another folder."""

    folder: Path

    def __call__(self, net: NetDef) -> None:
        """Set the paths."""
        for layer in net.layers:
            for param, names in ((layer.param.video_data_param, ("source", "root_folder")),
                                 (layer.param.hdf5_data_param, ("source",))):
                for name in names:
                    value = getattr(param, name)
                    if value.startswith(f"{_CLIPS}/"):
                        setattr(param, name, str(self.folder / value[len(_CLIPS) + 1:]))

    def finish(self) -> None:
        """There is nothing left to do."""


def train_recogniser(clips: Path, folder: Path, training: Training) -> Path:
    """Train the net of roles, unless that is done; return its weights.

    Args:
        clips: what ``dataset.write_dataset`` wrote, with videos.
        folder: of weights and log.
        training: how.
    """
    definition = read_solver(resolve(SOLVER))
    definition.changes.append(Clips(clips))
    return training.run(definition, folder)


def recognise(clips: Path, weights: Path, material: Material, source: str,
              report: Report) -> dict[str, Agreement]:
    """Write roles and features of all clips; return how many labels are right in each split.

    Training clips are labelled by CRFs that have not seen their kitchens.

    Args:
        clips: what ``dataset.write_dataset`` wrote, with videos.
        weights: of the net of roles.
        material: where they go.
        source: one of ``SOURCES``.
        report: takes lines of progress.
    """
    true = {split: read_roles(clips / f"{split}.json") for split in SPLITS}
    _write_features(true, weights, material, report)
    found = {split: read_roles(clips / f"noisy_{split}.json") for split in SPLITS} \
        if source == "noisy" else _labelled(true, weights, report)
    for split, roles in found.items():
        write_roles(material.roles_file(split), moved(roles, material.roles_file(split)))
    return {split: compare(found[split], true[split]) for split in SPLITS}


def _labelled(true: dict[str, Roles], weights: Path, report: Report) -> dict[str, Roles]:
    net = ClipNet(resolve(DEPLOY), weights)
    seen = {split: net.features(video_paths(roles), report).astype(np.float64)
            for split, roles in true.items()}
    report("CRF: training, and labelling the clips")
    recipe, train = Recipe(choose_edges("tree", true["train"])), true["train"]
    crf = recipe.fit(train, seen["train"])
    groups = len({name.rpartition("_c")[0] for name in train.ids})
    return {"train": label_in_turn(train, seen["train"], recipe, min(5, groups)),
            **{split: label(true[split], seen[split], crf) for split in ("val", "test")}}


def _write_features(true: dict[str, Roles], weights: Path, material: Material,
                    report: Report) -> None:
    net = ClipNet(resolve(DEPLOY), weights, _FRAMES)
    material.folder.mkdir(parents=True, exist_ok=True)
    with replacing(material.features, DataError, "the features") as path, new_hdf5(path) as file:
        for roles in true.values():
            for name, values in zip(roles.ids, net.frame_features(video_paths(roles), report),
                                    strict=True):
                file[name] = values.astype(np.float32)
