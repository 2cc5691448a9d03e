"""Section 6 of the paper in small: generated clips, their roles, seven systems, and a page."""
from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from ... import glog
from ...errors import DataError
from ...files import new_file
from ...language.result_files import read_result_captions, write_results
from ...layer_types.base import Settings
from ...printable import printable_lines
from ...solver.console import Console
from ..description.blind import blind_sentences
from ..description.labelling import compare
from ..description.roles import Roles, read_roles
from ..toy.page import read_curve
from .dataset import Extent, write_dataset
from .grammar import is_true
from .material import PREFIX, Material, Training
from .page import Content, Row, score_lines, write_page
from .recogniser import recognise, train_recogniser
from .scenes import Scene
from .systems import SYSTEMS, RoleNet, System, VideoNet, scores

#: Clips of the page: so many of each activity.
SHOWN = 2
_STEPS = 4 + len(SYSTEMS)
_EVERY = 5.0  # seconds between two lines of progress
_SETTINGS = "settings.json"


@dataclass(frozen=True)
class Size:
    """How much is generated, and how long the net of roles learns: all else follows from it.

    Args:
        groups: of clips, each with a kitchen of its own.
        clips: of each group.
        recogniser: iterations of the net of roles.
    """

    groups: int = 25
    clips: int = 40
    recogniser: int = 500

    @property
    def extent(self) -> Extent:
        """The same for the generator."""
        return Extent(self.groups, self.clips)


@dataclass(frozen=True)
class Demo:
    """Does what is missing of: clips, net of roles, roles, seven systems, sentences, the page.

    Args:
        out: folder of everything.
        source: of the roles: ``pixels`` or ``noisy``.
        size: of the data.
        iterations: replaces ``max_iter`` of the solvers of nets that write; architecture (a) takes
            twice as many.
        settings: of the nets that are trained.
        console: shows the trainings on a terminal.
    """

    out: Path
    source: str = "pixels"
    size: Size = Size()
    iterations: int | None = None
    settings: Settings = field(default_factory=Settings)
    console: Console | None = None

    def run(self) -> Path:
        """Do it, print the table, and return the page's path.

        Raises:
            CaffeError: a step failed.
            KeyboardInterrupt: it was stopped; the same call goes on there.
        """
        self.make_material()
        said = {}
        for step, system in enumerate(SYSTEMS, start=4):
            said[system.name] = self._sentences(system, step)
        return self._write_report(said)

    def make_material(self) -> None:
        """Make what is missing of clips, net of roles, roles and features.

        Raises:
            CaffeError: a step failed.
            KeyboardInterrupt: it was stopped; the same call goes on there.
        """
        self.size.extent.check()
        glog.start(brief=True)
        self._check_settings()
        self._make_clips()
        self._make_material()

    @property
    def material(self) -> Material:
        """What the systems learn from."""
        return Material(self.out / self.source)

    @property
    def clips(self) -> Path:
        """The generated clips."""
        return self.out / "clips"

    def learnt(self, name: str) -> Path:
        """Return the folder of what a system learns."""
        return self.material.folder / name

    def _check_settings(self) -> None:
        """See that what is there was made with the same settings."""
        path, wanted = self.out / _SETTINGS, asdict(self.size)
        if path.exists():
            made = json.loads(path.read_text(encoding="utf-8"))
            if made != wanted:
                raise DataError("the demonstration ran here with other settings", where=path,
                                got=_told(made), wanted=_told(wanted),
                                remedy="Give the same settings, or another --out")
            return
        self.out.mkdir(parents=True, exist_ok=True)
        with new_file(path, DataError, "the settings") as file:
            json.dump(wanted, file)

    def _make_clips(self) -> None:
        if self.clips.exists():
            _say(f"step 1 of {_STEPS}: {self.clips} is there already")
            return
        _say(f"step 1 of {_STEPS}: generating {self.size.groups * self.size.clips} clips")
        write_dataset(self.clips, self.size.extent, report=_say)

    def _make_material(self) -> None:
        """Train the net of roles, and let it and the CRF see all clips."""
        _say(f"step 2 of {_STEPS}: training the net of roles for {self.size.recogniser} "
             "iterations")
        weights = train_recogniser(self.clips, self.out / "recogniser",
                                   self._training(self.size.recogniser))
        whole = self.material.folder / "agreement.json"
        if whole.exists():
            _say(f"step 3 of {_STEPS}: roles and features are there already")
            return
        _say(f"step 3 of {_STEPS}: what the net sees in the clips")
        glog.start(brief=True)  # a training has its own log
        found = recognise(self.clips, weights, self.material, self.source, _say)
        with new_file(whole, DataError, "the shares of right labels") as file:
            json.dump({split: asdict(agreement) for split, agreement in found.items()}, file)

    def _training(self, iterations: int | None) -> Training:
        return Training(1, iterations, self.settings, self.console, _now_and_then())

    def _sentences(self, system: System, step: int) -> dict[str, str]:
        """Train a system and let it describe the test clips, unless that is done."""
        _say(f"step {step} of {_STEPS}: {system.title}")
        learnt = self._learn(system)
        path = learnt.with_name(f"said_{learnt.stem}.json")
        if path.exists():
            _say(f"{path} is there already")
            return read_result_captions(path)
        glog.start(brief=True)
        said = system.describe(self.material, learnt)
        write_results(path, [*said], [*said.values()])
        return said

    def _learn(self, system: System) -> Path:
        """Train a system, unless that is done; return what it has learnt."""
        # What reads the roles one by one learns more slowly.
        factor = 2 if isinstance(system, RoleNet) and system.architecture == "a" else 1
        training = self._training(self.iterations and factor * self.iterations)
        return system.train(self.material, self.learnt(system.name), training)

    def _write_report(self, said: dict[str, dict[str, str]]) -> Path:
        """Print the table, write the scores and the page; return the page's path."""
        _say(f"step {_STEPS} of {_STEPS}: the page")
        found, true = self.material.roles("test"), read_roles(self.clips / "test.json")
        blind = blind_sentences(self.material.roles("train"), len(true.ids))
        said = {**said, "blind": dict(zip(true.ids, blind, strict=True))}
        titles = {system.name: (system.title, system.paper) for system in SYSTEMS}
        titles["blind"] = ("a language model that sees nothing", None)
        rows = [Row(titles[name][0], _scores(texts, true), titles[name][1])
                for name, texts in said.items()]
        for line in score_lines(rows):
            print(f"{line[0]:<36}" + "".join(f"{cell:>9}" for cell in line[1:]))
        with new_file(self.out / "scores.json", DataError, "the scores") as file:
            json.dump({"source": self.source, **{name: row.scores for name, row
                                                 in zip(said, rows, strict=True)}}, file, indent=1)
        clips = _shown(true)
        shown = {titles[name][0]: [(texts[true.ids[i]], _is_true(texts[true.ids[i]], true, i))
                                   for i in clips] for name, texts in said.items()
                 if name != "blind"}
        write_page(self.out / "index.html", Content(
            self.source, rows, compare(found, true), found, true, clips, shown, self._curves()))
        return self.out / "index.html"

    def _curves(self) -> dict[str, dict[str, list[tuple[float, float]]]]:
        """Return how the trainings went, as far as their logs are there."""
        def read(folder: Path, column: str) -> list[tuple[float, float]]:
            log = folder / f"{PREFIX}_log.csv"
            return read_curve(log, "train", column) if log.exists() else []

        def of(kind: type) -> dict[str, list[tuple[float, float]]]:
            return {system.name: read(self.learnt(system.name), "cross_entropy_loss")
                    for system in SYSTEMS if isinstance(system, kind)}
        return {"net of roles: loss": {slot: read(self.out / "recogniser", f"{slot}_loss")
                                       for slot in Scene.__annotations__},
                "from roles: loss of a word": of(RoleNet),
                "from features: loss of a word": of(VideoNet)}

    def command(self) -> str:
        """Return the command that describes the test clips with architecture (c)."""
        system = next(system for system in SYSTEMS if system.name == "c")
        return (f"caffe-lrcn describe --roles {self.material.roles_file('test')} --architecture c "
                f"--data {self.material.streams('roles')} --weights {self._learn(system)}")


def _scores(said: dict[str, str], true: Roles) -> dict[str, float]:
    right = [_is_true(said[name], true, number) for number, name in enumerate(true.ids)]
    return {**scores(said, true), "true": 100 * float(np.mean(right))}


def _is_true(text: str, true: Roles, number: int) -> bool:
    return is_true(text, Scene(*true.names(number)))


def _shown(true: Roles) -> list[int]:
    """Return the first clips of each activity."""
    return [int(number) for activity in range(len(true.slots[0].labels))
            for number in np.flatnonzero(true.labels[:, 0] == activity)[:SHOWN]]


def _told(settings: dict[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def _now_and_then() -> Callable[[str], None]:
    """Return a report that shows one of many lines."""
    shown = time.monotonic()

    def report(line: str) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown > _EVERY or line.startswith("warning"):
            shown = now
            _say(line)
    return report


def _say(line: str) -> None:
    print(printable_lines(line), file=sys.stderr, flush=True)
