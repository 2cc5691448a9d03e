"""The metrics: golden scores of the original tools, plain definitions, and corner cases."""
from __future__ import annotations

import json
import random
import sys

import numpy as np
import pytest

from caffe_lrcn.errors import BackendError, DataError
from caffe_lrcn.language.ptb_tokens import PTBTokenizer
from caffe_lrcn.metrics import (
    METRICS,
    NgramTable,
    bleu,
    cider,
    cider_d,
    diversity,
    official_scores,
    own_scores,
    rouge_l,
    score_humans,
)
from tests.language.test_ptb_tokens import GOLDEN
from tests.metrics import plain


@pytest.fixture(scope="module")
def golden():
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def scored(golden):
    images = golden["per_image"].values()
    return own_scores([image["candidate"] for image in images],
                      [image["references"] for image in images])


def sentences(seed: int, images: int) -> tuple[list[str], list[list[str]]]:
    rnd = random.Random(seed)

    def sentence() -> str:
        return " ".join(rnd.choice("abcde") for _ in range(rnd.randint(1, 9)))

    return ([sentence() for _ in range(images)],
            [[sentence() for _ in range(rnd.randint(1, 4))] for _ in range(images)])


@pytest.mark.parametrize("metric", [m for m in METRICS if m != "METEOR"])
def test_golden_scores(golden, scored, metric):
    assert scored.corpus[metric] == pytest.approx(golden["scores"][metric], abs=1e-6)


def test_golden_cider_of_each_picture(golden, scored):
    wanted = [image["cider_d"] for image in golden["per_image"].values()]
    np.testing.assert_allclose(scored.per_image["CIDEr-D"], wanted, atol=1e-6)


@pytest.mark.parametrize("images", [2, 25])
def test_scores_follow_their_definitions(images):
    candidates, references = sentences(images, images)
    table = NgramTable(candidates, references)
    corpus, per_image = bleu(table)
    np.testing.assert_allclose(corpus, plain.bleu(candidates, references), atol=1e-6)
    np.testing.assert_allclose(
        per_image[:, 0], [plain.bleu([c], [r])[0]
                          for c, r in zip(candidates, references, strict=True)], atol=1e-6)
    mean, scores = rouge_l(candidates, references)
    wanted = [plain.rouge(c, r) for c, r in zip(candidates, references, strict=True)]
    np.testing.assert_allclose(scores, wanted, atol=1e-12)
    assert mean == pytest.approx(np.mean(wanted))
    mean, scores = cider_d(table)
    np.testing.assert_allclose(scores, plain.cider(candidates, references), atol=1e-12)
    assert mean == pytest.approx(scores.mean())


def test_plain_definitions_see_a_fault(monkeypatch):
    """The comparison above can fail: CIDEr-D without document frequencies is another score."""
    candidates, references = sentences(25, 25)
    table = NgramTable(candidates, references)
    monkeypatch.setattr(cider, "inverse_document_frequency",
                        lambda table, order: np.ones(table.grams[order]))
    assert not np.allclose(cider_d(table)[1], plain.cider(candidates, references))


def test_bleu_takes_the_shorter_of_two_lengths_equally_close():
    corpus, _ = bleu(NgramTable(["a b c d"], [["a b c d e", "a b c"]]))
    assert corpus[0] == pytest.approx(1.0, abs=1e-6)


def test_long_captions_have_no_limit():
    text = " ".join(map(str, range(200)))
    assert rouge_l([text], [[text]])[0] == pytest.approx(1.0)


def test_captions_without_words_score_nothing():
    scores = own_scores([".", "a dog"], [["a cat", "the cat"], ["a dog"]])
    for metric in METRICS:
        assert scores.per_image[metric][0] == pytest.approx(0, abs=1e-6), metric
        assert np.isfinite(scores.corpus[metric])


def test_one_picture_has_no_document_frequencies():
    scores = own_scores(["a dog runs"], [["a dog runs"]])
    assert scores.corpus["BLEU-1"] == pytest.approx(1, abs=1e-6)
    assert scores.corpus["CIDEr-D"] == 0


def test_humans_are_scored_against_each_other():
    references = [["a dog runs", "a dog runs"], ["a cat", "the cat"], ["alone"]]
    human = score_humans(references, own_scores)
    assert human.per_image["BLEU-1"][0] == pytest.approx(1, abs=1e-6)
    assert human.per_image["BLEU-1"][1] == pytest.approx(0.5, abs=1e-6)
    assert np.isnan(human.per_image["BLEU-1"][2])
    assert human.corpus["BLEU-1"] == pytest.approx(0.8, abs=1e-6)
    with pytest.raises(DataError, match="no picture has two references"):
        score_humans([["alone"]], own_scores)


def test_diversity():
    spread = diversity(["A dog runs.", "a cat"], [["a dog sits"], ["the cat"]],
                       ["a dog RUNS", "a cow"], PTBTokenizer())
    assert spread.copied == 0.5
    assert (spread.used, spread.words) == (3, 5)
    assert diversity(["a"], [["b"]]).copied is None


@pytest.mark.parametrize(("candidates", "references", "message"), [
    ([], [], "no captions"), (["a"], [], "do not belong"), (["a", "b"], [["a"], []], "caption 1"),
])
def test_refuses_what_cannot_be_scored(candidates, references, message):
    with pytest.raises(DataError, match=message):
        own_scores(candidates, references)


def test_official_tools_tell_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pycocoevalcap.bleu.bleu", None)
    with pytest.raises(BackendError, match=r"pip install .\.\[official\]"):
        official_scores(["a"], [["a"]])
