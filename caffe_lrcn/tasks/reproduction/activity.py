"""Section 4 of the paper on generated clips: single frames and LRCN, RGB and flow, fused."""
from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ... import glog
from ...layer_types.base import Settings
from ...paths import resolve
from ...proto.text import NetDef, SolverDef, read_solver
from ...solver.console import Console
from ..activity.evaluate import evaluate
from ..activity.results import Results, fused, read_results, write_results
from ..activity.windows import FUSIONS
from ..toy_actions.systems import CLIPS, MODALITIES, System, frames_of, test_clips
from ..training import train_to_the_end
from .findings import Measured, Ordering, Table
from .report import Findings
from .study import Run

_RESULTS, _PREFIX = "results.json", "net"
_SINGLE, _LRCN = "single frame", "LRCN"
#: (RGB, flow, 1/2 and 1/2, 1/3 and 2/3) of the paper's Table 1: the mean of three splits of UCF101.
_PAPER = {_SINGLE: ("67.37", "74.37", "75.46", "78.94"),
          _LRCN: ("68.20", "77.28", "80.90", "82.34")}


@dataclass(frozen=True)
class Variant:
    """A net of the study.

    Args:
        name: of its rows in the tables; with the modality, of its runs.
        kind: ``single_frame`` or ``lrcn``.
        stages: beside the modality.
        learning: more stages, in training only.
        length: frames of a clip, if not all of the video.
        stride: from one frame of the video that is used to the next.
    """

    name: str
    kind: str = "lrcn"
    stages: tuple[str, ...] = ("fc6", "units128")
    learning: tuple[str, ...] = ()
    length: int | None = None
    stride: int = 1

    def run_name(self, modality: str) -> str:
        """Return the name of the run with RGB or flow."""
        return f"{self.name} {modality}".replace(" ", "-")


VARIANTS = (
    Variant(_SINGLE, "single_frame", ()),
    Variant(_LRCN),
    Variant("LRCN fc7", stages=("fc7", "units128")),
    Variant("LRCN 64 units", stages=("fc6", "units64")),
    Variant("LRCN 256 units", stages=("fc6", "units256")),
    Variant("LRCN dropout 0.5", learning=("dropout50",)),
    Variant("LRCN dropout 0.9", learning=("dropout90",)),
    Variant("LRCN every second frame", length=4, stride=2),
    Variant("LRCN clips of 4 frames", length=4),
)


@dataclass(frozen=True)
class Clips:
    """Makes the data layers of a net read other clips; a change of a solver's nets."""

    length: int | None
    stride: int

    def __call__(self, net: NetDef) -> None:
        """Set length and stride; the first of ``length`` frames, or all that fit."""
        for layer in net.layers:
            if layer.param.type == "VideoData" and self.length is not None:
                layer.param.video_data_param.clip_length = self.length
                layer.param.video_data_param.frame_stride = self.stride

    def finish(self) -> None:
        """There is nothing left to do."""


@dataclass(frozen=True)
class ActivityStudy:
    """The runs, and what they show.

    Args:
        out: the folder of the study.
        seeds: how many.
        settings: of the nets that are trained.
        console: shows the trainings on a terminal.
        iterations: replaces ``max_iter`` of all solvers.
    """

    out: Path
    seeds: int = 3
    settings: Settings = Settings()
    console: Console | None = None
    iterations: int | None = None

    def runs(self) -> list[Run]:
        """Return all runs, those of the first seed first, and of the main table before others."""
        data = _digest(sorted((CLIPS / "videos").rglob("*.avi")))
        return [self._run(variant, modality, seed, data) for seed in range(1, self.seeds + 1)
                for variant in VARIANTS for modality in MODALITIES]

    def _run(self, variant: Variant, modality: str, seed: int, data: str) -> Run:
        system = System(variant.kind, modality)
        made_of = [data, repr(variant), str(self.iterations),
                   *(Path(resolve(name)).read_text(encoding="utf-8") for name in (
                       system.solver, system.net, system.deploy))]
        before = None
        if variant.kind == "lrcn":
            before = self._run(VARIANTS[0], modality, seed, data)
            made_of.append(before.fingerprint)
        return Run(variant.run_name(modality), seed, tuple(made_of),
                   partial(self._work, variant, system, seed, before))

    def _work(self, variant: Variant, system: System, seed: int, before: Run | None,
              folder: Path) -> Mapping[str, float]:
        """Train a net and let it speak about the test clips."""
        definition = read_solver(resolve(system.solver))
        if before is not None:
            definition.param.weights[:] = [str(_weights(before.folder(self.out)))]
        self._set(definition, variant, system, seed, folder)
        weights = train_to_the_end(definition, self.settings, self.console)
        glog.start(brief=True)  # a training has its own log
        classes, names, labels = test_clips()
        recogniser = system.recogniser(weights, classes, variant.stages, variant.length)
        probabilities = [recogniser(frames_of(system, name)[::variant.stride]).average
                         for name in names]
        results = Results(str(folder / _RESULTS), classes, names, np.array(labels),
                          np.array(probabilities))
        write_results(folder / _RESULTS, results)
        return {"accuracy": 100 * evaluate([results]).mean}

    def _set(self, definition: SolverDef, variant: Variant, system: System, seed: int,
             folder: Path) -> None:
        param = definition.param
        param.random_seed, param.snapshot_prefix = seed, str(folder / _PREFIX)
        param.max_iter = self.iterations or param.max_iter
        for name in ("test_iter", "test_state", "test_interval"):
            param.ClearField(name)
        param.train_state.stage[:] = [system.modality, *variant.stages, *variant.learning]
        definition.changes.append(Clips(variant.length, variant.stride))

    def findings(self, figures: Mapping[tuple[str, int], Mapping[str, float]]) -> Findings:
        """Return the tables of what is done so far."""
        cells = {(variant.name, modality): self._measured(variant, modality, figures)
                 for variant in VARIANTS for modality in MODALITIES}
        for name in (_SINGLE, _LRCN):
            cells |= self._fusions(name, figures)
        return Findings(
            "Activity recognition on generated clips",
            "Accuracy in per cent on the test clips: the mean over seeds of the training, and half "
            "of the distance between the best and the worst seed. The paper's figures are in "
            "brackets: they are the mean of the three splits of UCF101.",
            [_main_table(cells), _other_table(cells)], _orderings(cells))

    def _measured(self, variant: Variant, modality: str,
                  figures: Mapping[tuple[str, int], Mapping[str, float]]) -> Measured:
        name = variant.run_name(modality)
        return Measured(tuple(figures[name, seed]["accuracy"]
                              for seed in range(1, self.seeds + 1) if (name, seed) in figures))

    def _fusions(self, name: str, figures: Mapping[tuple[str, int], Mapping[str, float]]
                 ) -> dict[tuple[str, str], Measured]:
        """Return the accuracies of RGB and flow together, of the seeds that have both."""
        variant = next(item for item in VARIANTS if item.name == name)
        runs = {(run.name, run.seed): run for run in self.runs()}
        found: dict[str, list[float]] = {fusion: [] for fusion in FUSIONS}
        for seed in range(1, self.seeds + 1):
            keys = [(variant.run_name(modality), seed) for modality in MODALITIES]
            if not all(key in figures for key in keys):
                continue
            nets = [read_results(runs[key].folder(self.out) / _RESULTS) for key in keys]
            for fusion, weights in FUSIONS.items():
                found[fusion].append(100 * evaluate([fused(nets, weights)]).mean)
        return {(name, fusion): Measured(tuple(values)) for fusion, values in found.items()}


def _weights(folder: Path) -> Path:
    """Return the weights that a training left at its end."""
    return max(folder.glob(f"{_PREFIX}_iter_*.caffemodel"),
               key=lambda path: int(path.stem.rpartition("_")[2]))


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.parent.name}/{file.name}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


Cells = Mapping[tuple[str, str], Measured]


def _main_table(cells: Cells) -> Table:
    columns = (*MODALITIES, *FUSIONS)
    rows = [(name, [replace(cells[name, column], paper=paper)
                    for column, paper in zip(columns, _PAPER[name], strict=True)])
            for name in (_SINGLE, _LRCN)]
    return Table("Table 1: single frames and LRCN-fc6",
                 ["RGB", "flow", "1/2, 1/2", "1/3, 2/3"], rows)


def _other_table(cells: Cells) -> Table:
    rows = [(variant.name, [cells[variant.name, modality] for modality in MODALITIES])
            for variant in VARIANTS if variant.kind == "lrcn"]
    return Table("Variants of LRCN (fc6, 128 units, all 8 frames, no dropout unless said)",
                 list(MODALITIES), rows)


def _orderings(cells: Cells) -> Sequence[Ordering]:
    single, lrcn = ({column: cells[name, column] for column in (*MODALITIES, *FUSIONS)}
                    for name in (_SINGLE, _LRCN))
    pairs = [
        ("LRCN before a single frame, RGB", lrcn["RGB"], single["RGB"], "+0.83"),
        ("LRCN before a single frame, flow", lrcn["flow"], single["flow"], "+2.91"),
        ("LRCN before a single frame, 1/3 and 2/3", lrcn["third"], single["third"], "+3.40"),
        ("flow before RGB, single frame", single["flow"], single["RGB"], "+7.00"),
        ("flow before RGB, LRCN", lrcn["flow"], lrcn["RGB"], "+9.08"),
        ("fusion (1/2, 1/2) before flow, LRCN", lrcn["average"], lrcn["flow"], "+3.62"),
        ("fusion (1/3, 2/3) before (1/2, 1/2), LRCN", lrcn["third"], lrcn["average"], "+1.44"),
    ]
    for modality, gain in (("RGB", "+0.2"), ("flow", "+1")):
        pairs.append((f"fc6 before fc7, {modality}", lrcn[modality],
                      cells["LRCN fc7", modality], gain))
    pairs += [
        ("most units before fewest, flow", cells["LRCN 256 units", "flow"],
         cells["LRCN 64 units", "flow"], "+1.7"),
        ("most units before fewest, RGB", cells["LRCN 256 units", "RGB"],
         cells["LRCN 64 units", "RGB"], "little"),
    ]
    for modality in MODALITIES:
        pairs += [
            (f"dropout 0.9 before 0.5, {modality}", cells["LRCN dropout 0.9", modality],
             cells["LRCN dropout 0.5", modality], "better"),
            (f"all frames before every second, {modality}", lrcn[modality],
             cells["LRCN every second frame", modality], "better"),
            (f"clips of 8 frames before clips of 4, {modality}", lrcn[modality],
             cells["LRCN clips of 4 frames", modality], "")]
    return [Ordering(*pair) for pair in pairs]
