"""The seven systems of Table 9 on clips whose roles were recognised: how each learns and speaks.

Nothing here knows where it works: a ``Material`` is a folder that is handed in, and what a system
learns goes to another one.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ...language.caption_files import Caption
from ...language.caption_tokens import tokenize
from ...language.decoder import Decoder
from ...language.hypothesis import Hypothesis
from ...language.ptb_tokens import PTBTokenizer
from ...language.vocabulary import Vocabulary
from ...metrics.bleu import bleu
from ...metrics.cider import cider_d
from ...metrics.ngrams import NgramTable
from ...proto.text import read_solver
from ..captioning.prepare import Recipe
from ..description.describe import DEPLOY, role_context
from ..description.describe_videos import describe_features
from ..description.feature_files import open_features
from ..description.role_streams import write_role_streams
from ..description.roles import Roles
from ..description.sized_nets import SIZES, write_nets
from ..description.translation import Recipe as TranslationRecipe
from ..description.translation import train as train_translation
from ..description.translation_file import read_translator, write_translator
from ..description.video_captions import Split, write_video_data_set
from ..description.video_nets import net_files, write_video_nets
from ..description.video_recipe import POOLMEAN, S2VT, VideoRecipe
from .material import Material, Report, Training

_WHOLE = "whole.txt"  # is written last to a folder of streams
_SMALL = SIZES["small"][0]
_MIN_COUNT = 5  # a word of the vocabulary occurs at least so often
_FRAMES = 8  # that the net of roles looks at


class System(Protocol):
    """One of the systems. ``name`` is for files and tables, ``paper`` is BLEU-4 in Table 9."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def paper(self) -> float | None: ...

    @property
    def definitions(self) -> tuple[str, ...]:
        """The files that say what is trained and how."""

    def prepare(self, material: Material, report: Report) -> None:
        """Write what the training reads, unless it is there."""

    def train(self, material: Material, folder: Path, training: Training) -> Path:
        """Learn, unless that is done; return the file of what was learnt, in ``folder``."""

    def describe(self, material: Material, learnt: Path, split: str = "test") -> dict[str, str]:
        """Return a sentence about each clip of a split, by the clip's id."""


@dataclass(frozen=True)
class Translation:
    """Phrase-based statistical translation of labels.

    Args:
        name, title, paper: as for ``System``.
        lattice: labels of each slot to choose from; 1: the maxima.
        held_out: weights are chosen on so many clips of the split ``val``, at most.
    """

    name: str
    title: str
    paper: float | None
    lattice: int = 1
    held_out: int = 120

    @property
    def definitions(self) -> tuple[str, ...]:
        """There are none."""
        return ()

    def prepare(self, material: Material, report: Report) -> None:
        """Nothing is needed but the roles."""

    def train(self, material: Material, folder: Path, training: Training) -> Path:
        """Learn phrases, a language model and weights, unless that is done."""
        model = folder / "model.json"
        if not model.exists():
            val = material.roles("val")
            recipe = TranslationRecipe(lattice=self.lattice, seed=training.seed)
            translator = train_translation(
                material.roles("train"), val.select(np.arange(min(len(val.ids), self.held_out))),
                recipe, training.report)
            folder.mkdir(parents=True, exist_ok=True)
            write_translator(model, translator)
        return model

    def describe(self, material: Material, learnt: Path, split: str = "test") -> dict[str, str]:
        """Return a translation of each clip."""
        roles = material.roles(split)
        said = read_translator(learnt).describe(roles, self.lattice, lambda line: None)
        return dict(zip(roles.ids, said, strict=True))


@dataclass(frozen=True)
class RoleNet:
    """One of the architectures of Figure 5.

    Args:
        name, title, paper: as for ``System``.
        architecture: ``a``, ``b`` or ``c``.
        net: the name of its solver.
    """

    name: str
    title: str
    paper: float | None
    architecture: str
    net: str

    @property
    def definitions(self) -> tuple[str, ...]:
        """Solver, net and deploy net."""
        deploy = DEPLOY[self.architecture]
        return tuple(f"{_SMALL}/{name}" for name in (
            f"{self.net}_solver.prototxt", deploy.replace(".deploy", ""), deploy))

    def prepare(self, material: Material, report: Report) -> None:
        """Write the streams that all three read, vocabulary and nets, unless they are there."""
        out = material.streams("roles")
        if (out / _WHOLE).exists():
            return
        recipe = Recipe(out, SIZES["small"][1], 20, force=True)
        splits = {"train": material.roles("train")}
        vocabulary, counts = write_role_streams(recipe, splits, report, None, _MIN_COUNT)
        write_nets(recipe, "small", splits["train"].slots, vocabulary, counts)
        (out / _WHOLE).touch()

    def train(self, material: Material, folder: Path, training: Training) -> Path:
        """Train the net, unless that is done."""
        self.prepare(material, training.report)
        return training.run(
            read_solver(material.streams("roles") / f"{self.net}_solver.prototxt"), folder)

    def describe(self, material: Material, learnt: Path, split: str = "test") -> dict[str, str]:
        """Return the most probable word after word about each clip."""
        out, roles = material.streams("roles"), material.roles(split)
        vocabulary, net = Vocabulary.read(out / "vocabulary.txt"), out / DEPLOY[self.architecture]
        decoder = Decoder(net, learnt, words=len(vocabulary))
        found = decoder.greedy(role_context(decoder.step_net, roles, self.architecture, net))
        return {name: vocabulary.sentence(best[0].words)
                for name, best in zip(roles.ids, found, strict=True)}


@dataclass(frozen=True)
class VideoNet:
    """A net that sees features of frames: mean pooling, or S2VT.

    Args:
        name, title, paper: as for ``System``.
        layout: of its streams.
    """

    name: str
    title: str
    paper: float | None
    layout: str

    @property
    def definitions(self) -> tuple[str, ...]:
        """Solver, net and deploy net."""
        return tuple(f"{_SMALL}/{name}" for name in reversed(net_files(self.layout)))

    def prepare(self, material: Material, report: Report) -> None:
        """Write the streams, vocabulary and nets, unless they are there."""
        out = material.streams(self.layout)
        if (out / _WHOLE).exists():
            return
        steps = 20 + (_FRAMES if self.layout == S2VT else 0)
        recipe = VideoRecipe(out, 16, steps, force=True, layout=self.layout, split_words=tokenize)
        roles, seen = material.roles("train"), open_features(material.features)
        sentences = [Caption(name, text, f"{roles.path}: clip '{name}'", name) for name, texts
                     in zip(roles.ids, roles.sentences, strict=True) for text in texts]
        vocabulary = write_video_data_set(recipe, {"train": Split(sentences, seen)}, report, None,
                                          _MIN_COUNT)
        write_video_nets(recipe, "small", seen.width, vocabulary, {"train": len(sentences)})
        (out / _WHOLE).touch()

    def train(self, material: Material, folder: Path, training: Training) -> Path:
        """Train the net, unless that is done."""
        self.prepare(material, training.report)
        return training.run(
            read_solver(material.streams(self.layout) / net_files(self.layout)[2]), folder)

    def describe(self, material: Material, learnt: Path, split: str = "test") -> dict[str, str]:
        """Return the most probable word after word about each clip."""
        out, features = material.streams(self.layout), open_features(material.features)
        vocabulary = Vocabulary.read(out / "vocabulary.txt")
        decoder = Decoder(out / net_files(self.layout)[1], learnt, words=len(vocabulary))

        def search(given: object, first: int) -> list[list[Hypothesis]]:
            return decoder.greedy(given)

        return {name: vocabulary.sentence(best[0].words) for name, best in describe_features(
            decoder.step_net, features, material.roles(split).ids, search)}


#: Table 9's, in its order, and the two of section 7.2. Source: paper, Table 9.
SYSTEMS: tuple[System, ...] = (
    Translation("smt_max", "SMT of maxima", 24.9),
    Translation("smt_prob", "SMT of a lattice", 26.9, lattice=3),
    RoleNet("a", "(a) encoder-decoder, maxima", 25.3, "a", "encoder_decoder"),
    RoleNet("b", "(b) decoder, maxima", 27.4, "b", "decoder_max"),
    RoleNet("c", "(c) decoder, probabilities", 28.8, "c", "decoder_prob"),
    VideoNet("poolmean", "mean pooling", None, POOLMEAN),
    VideoNet("s2vt", "S2VT", None, S2VT),
)


def scores(said: Mapping[str, str], roles: Roles) -> dict[str, float]:
    """Return ``BLEU-4`` in per cent (corpus, all references, PTB tokens) and ``CIDEr-D``.

    Args:
        said: the sentence about each clip, by its id.
        roles: the clips, with the sentences that are right.
    """
    tokenizer = PTBTokenizer()
    table = NgramTable(
        [" ".join(tokenizer(said[name])) for name in roles.ids],
        [[" ".join(tokenizer(text)) for text in texts] for texts in roles.sentences])
    return {"BLEU-4": 100 * float(bleu(table)[0][3]), "CIDEr-D": float(cider_d(table)[0])}
