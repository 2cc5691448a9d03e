"""Training and describing as a whole, on generated clips."""
from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from caffe_lrcn.errors import DataError, UsageError
from caffe_lrcn.metrics import NgramTable, bleu
from caffe_lrcn.tasks.description.blind import blind_sentences
from caffe_lrcn.tasks.description.noisy_posteriors import add_noise, calibrate
from caffe_lrcn.tasks.description.roles import Roles, Slot
from caffe_lrcn.tasks.description.translation import Recipe, hold_out, train
from caffe_lrcn.tasks.description.translation_file import read_translator, write_translator

# What can be done with what: a language model knows it, a recogniser may not.
DONE = {"cuts": ["carrot", "onion"], "pours": ["milk", "juice"], "washes": ["plate", "pan"]}
SLOTS = (Slot("activity", ("none", "cuts", "pours", "washes", "dances")),
         Slot("object", ("none", "carrot", "onion", "milk", "juice", "plate", "pan")))


def clips(count: int, seed: int) -> Roles:
    """Return clips with true roles and two sentences each."""
    random = np.random.default_rng(seed)
    labels, sentences = [], []
    for _ in range(count):
        verb = random.choice([*DONE])
        thing = random.choice(DONE[verb])
        labels.append([SLOTS[0].labels.index(verb), SLOTS[1].labels.index(thing)])
        sentences.append([f"{who} {verb} {a} {thing}." for who, a in zip(
            random.choice(["He", "She", "The person"], 2), random.choice(["the", "a"], 2),
            strict=True)])
    return Roles("r.json", SLOTS, [f"v{seed}-{i}" for i in range(count)], [None] * count,
                 np.array(labels), None, sentences)


def noisy(count: int, seed: int) -> Roles:
    """Return clips as a recogniser sees them."""
    given = clips(count, seed)
    return add_noise(given, calibrate(clips(300, 0), 0.25), seed)


def bleu_4(sentences: list[str], roles: Roles) -> float:
    """Return BLEU-4 of sentences that have a full stop and a capital letter."""
    def plain(text: str) -> str:
        return text.lower().removesuffix(".")
    return float(bleu(NgramTable([plain(text) for text in sentences],
                                 [[plain(text) for text in texts]
                                  for texts in roles.sentences]))[0][3])


def silent(line: str) -> None:
    """Take a line of progress."""


@pytest.fixture(scope="module")
def seen():
    """Return (a system for maxima, one for lattices, clips to describe)."""
    given, others = noisy(160, 1), noisy(40, 2)
    maxima = train(given, others, Recipe(iterations=3), silent)
    lattice = train(given, others, Recipe(iterations=3, lattice=3), silent)
    return maxima, lattice, noisy(60, 3)


def test_translation_beats_copying_and_seeing_nothing(seen):
    maxima, lattice, given = seen
    translated = bleu_4(maxima.describe(given, 1, silent), given)
    copied = bleu_4([" ".join(given.names(clip)) for clip in range(len(given.ids))], given)
    blind = bleu_4(blind_sentences(noisy(160, 1), len(given.ids)), given)
    assert translated > max(copied, blind) + 0.2
    # The language model knows that nobody pours a pan.
    assert bleu_4(lattice.describe(given, 3, silent), given) > translated + 0.02


def test_weights_do_better_on_held_out_clips_than_the_usual_ones(seen):
    maxima, _, _ = seen
    others = noisy(40, 2)
    usual = train(noisy(160, 1), None, Recipe(iterations=3), silent)
    assert maxima.held_out[0] == 40 and usual.held_out is None
    assert maxima.held_out[1] == pytest.approx(bleu_4(maxima.describe(others, 1, silent), others))
    assert maxima.held_out[1] >= bleu_4(usual.describe(others, 1, silent), others)


def test_same_seed_same_system(seen, tmp_path):
    maxima, _, _ = seen
    again = train(noisy(160, 1), noisy(40, 2), Recipe(iterations=3), silent)
    for name, system in (("a.json", maxima), ("b.json", again)):
        write_translator(tmp_path / name, system)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_file_holds_all_of_a_system(seen, tmp_path):
    _, lattice, given = seen
    write_translator(tmp_path / "m.json", lattice)
    read = read_translator(tmp_path / "m.json")
    assert dataclasses.replace(read, model=lattice.model) == lattice
    assert read.describe(given, 3, silent) == lattice.describe(given, 3, silent)


def test_lattice_of_one_label_is_the_maximum(seen):
    _, lattice, given = seen
    maxima = dataclasses.replace(given, probabilities=None)
    assert lattice.describe(given, 1, silent) == lattice.describe(maxima, 1, silent)


def test_other_clips_of_the_file_change_nothing(seen):
    maxima, _, given = seen
    whole = maxima.describe(given, 1, silent)
    assert maxima.describe(given.select(np.array([7, 3])), 1, silent) == [whole[7], whole[3]]


def test_labels_unseen_in_training_are_told(seen):
    maxima, _, given = seen
    labels = given.labels[:2].copy()
    labels[:, 0] = 4
    lines: list[str] = []
    found = maxima.describe(dataclasses.replace(given.select(np.arange(2)), labels=labels), 1,
                            lines.append)
    assert lines == ["note: activity 'dances' is not in the training clips, so it has no "
                     "translation (2 clips)"]
    labels[:] = [4, 0]
    assert all(text.endswith(".") and len(text) > 1 for text in found)
    found = maxima.describe(dataclasses.replace(given.select(np.arange(2)), labels=labels), 1,
                            lines.append)
    assert "stands in" in lines[-1] and len(found[0].split()) > 1


def test_holding_out_divides_the_clips():
    given = clips(20, 1)
    bare = dataclasses.replace(given, sentences=[[], *given.sentences[1:]])
    kept, held = hold_out(bare, 0.1, 1)
    assert len(held.ids) == 2 and sorted(kept.ids + held.ids) == sorted(given.ids[1:])
    assert hold_out(bare, 0.1, 1)[1].ids == held.ids != hold_out(bare, 0.1, 2)[1].ids
    with pytest.raises(UsageError, match="too few clips"):
        hold_out(given.select(np.arange(1)), 0.1, 1)


@pytest.mark.parametrize(("change", "message"), [
    ({"sentences": [[]] * 3}, "no sentences to learn from"),
    ({"sentences": [["!"], [" ".join("w" * 90)], ["."]]}, None),
])
def test_sentences_that_teach_nothing(change, message):
    lines: list[str] = []
    given = dataclasses.replace(clips(3, 1), **change)
    if message is None:
        system = train(given, None, Recipe(iterations=1), lines.append)
        assert "note: 2 sentences are left out" in lines[0] and system.about["sentences"] == 1
    else:
        with pytest.raises(DataError, match=message):
            train(given, None, Recipe(iterations=1), silent)


def test_other_slots_are_refused(seen):
    maxima, _, given = seen
    for slots, message in (
            (SLOTS[::-1], "got object, activity, wanted activity, object"),
            ((Slot("activity", ("none", "cuts", "fries", "washes", "dances")), SLOTS[1]),
             "'fries' as label 2, wanted 5 labels, 'pours' as label 2"),
            ((Slot("activity", (*SLOTS[0].labels, "fries")), SLOTS[1]),
             "got 6 labels, 'fries' as label 5, wanted 5 labels, the end as label 5")):
        with pytest.raises(DataError) as error:
            maxima.describe(dataclasses.replace(given, slots=slots), 1, silent)
        assert message in str(error.value) and "of the model" in str(error.value)
        with pytest.raises(DataError, match="of the training clips"):
            train(given, dataclasses.replace(given, slots=slots), Recipe(), silent)


def test_what_is_missing_is_told_before_the_work(seen):
    _, lattice, given = seen
    bare = dataclasses.replace(given, probabilities=None)
    with pytest.raises(DataError, match="Leave out --lattice"):
        lattice.describe(bare, 3, silent)
    with pytest.raises(DataError, match="needs the labels' probabilities"):
        train(given, bare, Recipe(lattice=2), pytest.fail)
    with pytest.raises(DataError, match="held-out clips have no sentences"):
        train(given, dataclasses.replace(given, sentences=[[]] * 60), Recipe(), pytest.fail)


@pytest.mark.parametrize(("name", "value", "message"), [
    ("format", "other", "not a translation model"), ("weights", {}, "damaged"),
    ("words", ["a"], "damaged"), ("phrases", [[[0], [0], [0, 0, 0]]], "in 'phrases'"),
    ("phrases", [[[99], [0], [0, 0, 0, 0]]], "99 where a number below 12"),
    ("ngrams", [[0, -1], [0, 1], [1, 1]], "-1 where a number"), ("slots", [], "no slots"),
    ("recipe", {"order": 1}, "wrong values"), ("recipe", {"orders": 3}, "damaged"),
    ("held_out", 3, "damaged"),
    ("phrases", [[[0], [0], [0, 0, 0, float("nan")]]], "in 'phrases'"),
])
def test_damaged_files(seen, tmp_path, name, value, message):
    write_translator(tmp_path / "m.json", seen[0])
    data = json.loads((tmp_path / "m.json").read_text())
    data[name] = value
    (tmp_path / "m.json").write_text(json.dumps(data))
    with pytest.raises(DataError, match=message) as error:
        read_translator(tmp_path / "m.json")
    assert "m.json" in str(error.value)


def test_files_that_are_not_models(tmp_path):
    for text, message in (("[]", "not a translation model"), ("{", "not JSON")):
        (tmp_path / "m.json").write_text(text)
        with pytest.raises(DataError, match=message):
            read_translator(tmp_path / "m.json")
    with pytest.raises(DataError, match="cannot read"):
        read_translator(tmp_path / "absent.json")


def test_blind_sentences():
    given = clips(50, 1)
    assert len({*blind_sentences(given, 5)}) == 1
    drawn = blind_sentences(given, 30, seed=1)
    assert len({*drawn}) > 5 and drawn == blind_sentences(given, 30, seed=1)
    assert drawn != blind_sentences(given, 30, seed=2)
    with pytest.raises(DataError, match="no sentences"):
        blind_sentences(dataclasses.replace(given, sentences=[[]] * 50), 1)
