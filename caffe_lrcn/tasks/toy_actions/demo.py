"""Section 4 of the paper in small: generated clips, four nets, their fusion, and a page."""
from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ... import glog
from ...backends import get_backend
from ...errors import DataError, UsageError
from ...files import new_file
from ...layer_types.base import Settings
from ...solver.console import Console
from ..activity.evaluate import Evaluation, evaluate
from ..activity.extract import make_folders
from ..activity.flow import FlowMethod, brox, opencv
from ..activity.jobs import find_frames, find_videos
from ..activity.lists import write_classes, write_list
from ..activity.official_lists import read_data_set
from ..activity.recipes import FlowRecipe, FrameRecipe
from ..activity.results import Results, fused, read_results, write_results
from ..activity.windows import FUSIONS
from ..progress import Progress
from ..toy.embedded import Embedded, weights_of
from .dataset import Extent, write_dataset
from .motions import CLASSES
from .page import Clip, write_page
from .systems import (
    CLIPS,
    DATA,
    FLOW,
    FRAMES,
    KINDS,
    MODALITIES,
    SYSTEMS,
    TEST,
    System,
    frames_of,
    test_clips,
    video_of,
)

#: Groups of clips, each with a look of its own: as many of each class.
GROUPS = 96
#: Frames that are taken of a second of video, a third of them.
RATE = 8.0
_STEPS = 8       # of the demonstration, for its messages
_QUALITY = 90    # of JPEG pictures


@dataclass(frozen=True)
class Demo:
    """Does what is missing of: clips, frames, flow, four nets, what they say, the page.

    Args:
        out: folder of the page and of what the nets say.
        groups: how many groups of clips there are to be.
        method: of optical flow: ``dis`` (OpenCV) or ``brox`` (the paper's, slower).
        single_frame, lrcn: replace ``max_iter`` of the solvers.
        settings: of the nets that are trained.
        console: shows the trainings on a terminal.
    """

    out: Path
    groups: int = GROUPS
    method: str = "dis"
    single_frame: int | None = None
    lrcn: int | None = None
    settings: Settings = field(default_factory=Settings)
    console: Console | None = None

    def run(self) -> Path:
        """Do it, print the table, and return the page's path.

        Raises:
            CaffeError: a step failed.
            KeyboardInterrupt: it was stopped; the same call goes on there.
        """
        glog.start(brief=True)
        self.make_data()
        for step, system in enumerate(SYSTEMS, start=3):
            self._train(system, step)
        _say(f"step 7 of {_STEPS}: what the nets say about the test clips")
        glog.start(brief=True)  # a training has its own log
        results = {system.name: self._results(system) for system in SYSTEMS}
        return self._write_report(results)

    def make_data(self) -> None:
        """Make what is missing of clips, lists, frames and flow.

        Raises:
            DataError: something cannot be written.
        """
        flow_method = self._flow_method()  # before the minutes that come first
        self._make_clips()
        self._make_lists()
        self._make_pictures(flow_method)

    def _flow_method(self) -> FlowMethod:
        return opencv("dis") if self.method == "dis" else brox(get_backend("cpu"))

    def _make_clips(self) -> None:
        if not CLIPS.exists():
            _say(f"There is no {CLIPS}: generating clips")
            CLIPS.parent.mkdir(parents=True, exist_ok=True)
            progress = Progress(len(CLASSES), "classes", _say)
            write_dataset(CLIPS, Extent(self.groups, 1), report=lambda line: progress.step())
        made = len(list((CLIPS / "videos").glob("*/*_c01.avi"))) // len(
            list((CLIPS / "videos").iterdir()))
        if made != self.groups:
            raise DataError("another number of groups was generated", where=CLIPS, got=made,
                            wanted=self.groups, remedy=f"Say --groups {made}, or run the "
                            "demonstration in another folder")

    def _make_lists(self) -> None:
        if TEST.exists():  # it is written last
            return
        data = read_data_set(CLIPS)
        write_classes(DATA / "classes.txt", data.classes)
        for part in ("train", "test"):
            write_list(DATA / f"{part}1.txt", data.splits[1][part])

    def _make_pictures(self, flow_method: FlowMethod) -> None:
        """Make frames and flow; folders that are there already are left alone."""
        _say(f"Frames and optical flow ({self.method})")
        threads = os.cpu_count() or 1
        make_folders(find_videos([CLIPS / "videos"]), FRAMES, FrameRecipe(RATE, _QUALITY, None),
                     strict=True, threads=threads, report=_say)
        make_folders(find_frames(FRAMES), FLOW, FlowRecipe(flow_method, 16.0, _QUALITY),
                     strict=True, threads=threads, report=_say)

    def _weights(self, system: System) -> Path:
        return weights_of(system.solver, getattr(self, system.kind))

    def _train(self, system: System, step: int) -> None:
        weights = self._weights(system)
        if weights.exists():
            _say(f"step {step} of {_STEPS}: {weights} is there already")
            return
        before = (self._weights(System("single_frame", system.modality))
                  if system.kind == "lrcn" else None)
        Embedded(settings=self.settings, console=self.console).train(
            system.solver, f"step {step} of {_STEPS}: training {system.name}",
            getattr(self, system.kind), before)

    def _results(self, system: System) -> Results:
        """Return what a net says about the test clips, from its file if that is up to date."""
        path, weights = self.out / f"{system.name}.json", self._weights(system)
        if path.exists() and path.stat().st_mtime > max(
                weights.stat().st_mtime, TEST.stat().st_mtime):
            return read_results(path)
        classes, names, labels = test_clips()
        recogniser = system.recogniser(weights, classes)
        probabilities, progress = [], Progress(len(names), f"clips ({system.name})", _say)
        for name in names:
            probabilities.append(recogniser(frames_of(system, name)).average)
            progress.step()
        results = Results(str(path), classes, names, np.array(labels), np.array(probabilities))
        write_results(path, results)
        return results

    def _write_report(self, results: dict[str, Results]) -> Path:
        """Print the table, write the scores and the page; return the page's path."""
        _say(f"step 8 of {_STEPS}: the page")
        found: dict[tuple[str, str], Evaluation] = {}
        for kind in KINDS:
            nets = [results[f"{kind}_{modality}"] for modality in MODALITIES]
            for modality, net in zip(MODALITIES, nets, strict=True):
                found[kind, modality] = evaluate([net])
            for name, weights in FUSIONS.items():
                found[kind, name] = evaluate([fused(nets, weights)])
        for kind in KINDS:
            print(f"{kind:<14}" + "".join(f"{name:>9} {found[kind, name].mean:.1%}"
                                          for name in (*MODALITIES, *FUSIONS)))
        with new_file(self.out / "scores.json", DataError, "the scores") as file:
            json.dump({kind: {name: found[kind, name].mean for name in (*MODALITIES, *FUSIONS)}
                       for kind in KINDS}, file, indent=1)
        write_page(self.out / "index.html", found, self._clips(results), self.method)
        return self.out / "index.html"

    def _clips(self, results: dict[str, Results]) -> list[Clip]:
        """Return the clips that the page shows: one of each class, each of another group."""
        classes, names, labels = test_clips()
        each = len(names) // len(classes)
        chosen = [labels.index(label) + label % each for label in range(len(classes))]
        recognisers = {system: system.recogniser(self._weights(system), classes)
                       for system in SYSTEMS if system.kind == "lrcn"}
        clips = []
        for number in chosen:
            over_time = {system.modality: recogniser(frames_of(system, names[number])).over_time
                         for system, recogniser in recognisers.items()}
            said = {name: classes[int(net.probabilities[number].argmax())]
                    for name, net in results.items()}
            clips.append(Clip(names[number], classes[labels[number]],
                              video_of(names[number]),
                              np.stack(frames_of(System("lrcn", "flow"), names[number])),
                              said, over_time, classes))
        return clips


def check_groups(groups: int) -> None:
    """Raise UsageError if so many groups cannot be made."""
    Extent(groups, 1).check()


def check_iterations(*iterations: int | None) -> None:
    """Raise UsageError if a number of iterations is not positive."""
    for number in iterations:
        if number is not None and number < 1:
            raise UsageError("a training needs iterations", got=number, wanted="1 or more")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
