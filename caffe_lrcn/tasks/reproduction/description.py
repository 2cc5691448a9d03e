"""Section 6 of the paper on generated clips: translation, three architectures, nets of frames."""
from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ... import glog
from ...language.result_files import write_results
from ...layer_types.base import Settings
from ...paths import resolve
from ...solver.console import Console
from ..description.blind import blind_sentences
from ..toy_roles.demo import Demo, Size
from ..toy_roles.material import SPLITS, Material, Training
from ..toy_roles.recogniser import SOURCES
from ..toy_roles.systems import SYSTEMS, RoleNet, System, VideoNet, scores
from .findings import Measured, Ordering, Table
from .report import Findings
from .study import Figures, Run

Report = Callable[[str], None]
#: Of the nets that write, and how many times as many (a) takes: it says the same of all clips in
#: the first thousand, in which nothing has reached the encoder yet.
ITERATIONS, READER = 600, 5
_RESULTS, _BLEU = "results.json", "BLEU-4"
_PIXELS, _NOISY = SOURCES
_ORDER = (_NOISY, _PIXELS)  # the main table comes first
_TITLES = {_NOISY: "Table 9: roles by a simulated recogniser",
           _PIXELS: "Table 9: roles from pixels, by a net and a CRF"}
_SHORT = {_NOISY: "simulated", _PIXELS: "pixels"}
#: name -> (title, whether sentences are drawn): what writes without looking.
_BLIND = {"blind": ("sees nothing: the most probable sentence", False),
          "blind-drawn": ("sees nothing: sentences drawn", True)}
#: (claim, better, worse, difference in the paper's Table 9).
_CLAIMS = (("(c) before (b)", "c", "b", "+1.4"), ("(b) before (a)", "b", "a", "+2.1"),
           ("(a) before SMT of maxima", "a", "smt_max", "+0.4"),
           ("SMT of a lattice before SMT of maxima", "smt_prob", "smt_max", "+2.0"),
           ("(c) before SMT of a lattice", "c", "smt_prob", "+1.9"))


@dataclass(frozen=True)
class DescriptionStudy:
    """The runs, and what they show.

    Args:
        out: the folder of the study, with the clips and all that is recognised in them.
        seeds: how many; each system is trained so often, on the same clips and roles.
        settings: of the nets that are trained.
        console: shows the trainings on a terminal.
        iterations: of the nets that write; (a), which reads roles one by one, takes five times as
            many.
        size: of the data.
    """

    out: Path
    seeds: int = 3
    settings: Settings = field(default_factory=Settings)
    console: Console | None = None
    iterations: int = ITERATIONS
    size: Size = Size()

    def make_data(self, report: Report) -> None:
        """Make what is missing of clips, net of roles, roles, features and streams.

        Raises:
            CaffeError: a step failed.
            KeyboardInterrupt: it was stopped; the same call goes on there.
        """
        for source in _ORDER:
            Demo(self.out, source, self.size, settings=self.settings,
                 console=self.console).make_material()
            for system in _systems(source):
                system.prepare(self._material(source), report)

    def runs(self) -> list[Run]:
        """Return all runs, those of the main table first, and there those of the first seed."""
        found = []
        for source in _ORDER:
            roles = _digest(self._material(source).roles_file(split) for split in SPLITS)
            features = _digest([self._material(source).features])
            for seed in range(1, self.seeds + 1):
                found += [self._run(source, system, seed, roles, features)
                          for system in _systems(source)]
                if source == _NOISY:
                    found += [Run(name, seed, (roles,), partial(self._blind, seed, drawn))
                              for name, (_, drawn) in _BLIND.items()]
        return found

    def _material(self, source: str) -> Material:
        return Demo(self.out, source).material

    def _run(self, source: str, system: System, seed: int, roles: str, features: str) -> Run:
        seen = features if isinstance(system, VideoNet) else ""
        made_of = (repr(system), roles, seen, str(self._length(system)),
                   *(Path(resolve(name)).read_text(encoding="utf-8")
                     for name in system.definitions))
        return Run(_run_name(source, system.name), seed, made_of,
                   partial(self._work, source, system, seed))

    def _length(self, system: System) -> int:
        reads_in_turn = isinstance(system, RoleNet) and system.architecture == "a"
        return self.iterations * (READER if reads_in_turn else 1)

    def _work(self, source: str, system: System, seed: int, folder: Path) -> Mapping[str, float]:
        """Train a system and let it describe the test clips."""
        training = Training(seed, self._length(system), self.settings, self.console)
        material = self._material(source)
        learnt = system.train(material, folder, training)
        glog.start(brief=True)  # a training has its own log
        return _scored(system.describe(material, learnt), material, folder)

    def _blind(self, seed: int, drawn: bool, folder: Path) -> Mapping[str, float]:
        material = self._material(_NOISY)
        clips = material.roles("test").ids
        texts = blind_sentences(material.roles("train"), len(clips), seed if drawn else None)
        return _scored(dict(zip(clips, texts, strict=True)), material, folder)

    def findings(self, figures: Figures) -> Findings:
        """Return the tables of what is done so far."""
        tables = [Table(_TITLES[source], [f"{_BLEU} in %"], self._rows(source, figures))
                  for source in _ORDER]
        return Findings(
            "Video description on generated clips",
            "BLEU-4 in per cent on the test clips (all references, PTB tokens): the mean over "
            "seeds of the training, and half of the distance between the best and the worst "
            "seed. Clips and roles are the same for all seeds. The figures in brackets are those "
            "of the paper, on TACoS Multi-Level. Mean pooling, S2VT and what sees nothing do not "
            "depend on the roles, so they are the same in both tables.",
            tables, self._orderings(figures))

    def _rows(self, source: str, figures: Figures) -> list[tuple[str, list[Measured]]]:
        titles = {system.name: (system.title, system.paper) for system in SYSTEMS}
        titles |= {name: (title, None) for name, (title, _) in _BLIND.items()}
        return [(title, [self._measured(source, name, figures,
                                        "" if paper is None else f"{paper:.1f}")])
                for name, (title, paper) in titles.items()]

    def _orderings(self, figures: Figures) -> list[Ordering]:
        found = []
        for source in _ORDER:
            cell = partial(self._measured, source, figures=figures)
            found += [Ordering(f"{claim}, {_SHORT[source]}", cell(better), cell(worse), paper)
                      for claim, better, worse, paper in _CLAIMS]
            found += [Ordering(f"{system.title} before what sees nothing"
                               + ("" if isinstance(system, VideoNet) else f", {_SHORT[source]}"),
                               cell(system.name), cell("blind"))
                      for system in _systems(source)]
        return found

    def _measured(self, source: str, name: str, figures: Figures, paper: str = "") -> Measured:
        run = _run_name(source, name)
        return Measured(tuple(figures[run, seed][_BLEU] for seed in range(1, self.seeds + 1)
                              if (run, seed) in figures), paper)


def _systems(source: str) -> Sequence[System]:
    """Return the systems that are run with the roles of a source.

    Those that see frames run once: all sources have the same features.
    """
    return [system for system in SYSTEMS
            if source == _NOISY or not isinstance(system, VideoNet)]


def _run_name(source: str, name: str) -> str:
    is_of_roles = any(system.name == name and not isinstance(system, VideoNet)
                      for system in SYSTEMS)
    return f"{source}-{name}" if is_of_roles else name


def _scored(said: Mapping[str, str], material: Material, folder: Path) -> Mapping[str, float]:
    write_results(folder / _RESULTS, [*said], [*said.values()])
    return scores(said, material.roles("test"))


def _digest(files: Iterable[Path]) -> str:
    """Return a digest of the files that are there."""
    digest = hashlib.sha256()
    for file in files:
        if file.exists():
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
