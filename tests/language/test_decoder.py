"""Decoding: recorded hypotheses, and what must hold for any net."""
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from caffe_lrcn.errors import DivergedError, ShapeError, UsageError, WeightsError
from caffe_lrcn.language.decoder import Decoder

GOLDEN = Path(__file__).parents[1] / "golden" / "captions"
NAMES = ["1u_lstm", "2f_lstm"]
FEATURES = np.random.default_rng(5).normal(size=(6, 5))


def decoder(name="2f_lstm", prototxt=None, **options):
    return Decoder(prototxt or GOLDEN / f"{name}.prototxt", GOLDEN / f"{name}.caffemodel",
                   **options)


def golden(name):
    recorded = json.loads((GOLDEN / f"{name}.json").read_text())
    return np.array(recorded["features"]), recorded["max_length"], recorded["cases"]


def assert_same(found, wanted, tolerance=1e-4):
    assert [[h.words for h in row] for row in found] == [[h.words for h in row] for row in wanted]
    for row, other in zip(found, wanted, strict=True):
        assert [h.log_prob for h in row] == pytest.approx([h.log_prob for h in other],
                                                          abs=tolerance)


# Recorded ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("width", [1, 3, 5])
@pytest.mark.parametrize("name", NAMES)
def test_recorded_hypotheses(name, width, any_backend):
    features, max_length, cases = golden(name)
    found = decoder(name, backend=any_backend).beam(features, width, max_length)
    assert len(found) == len(cases)
    for hypotheses, case in zip(found, cases, strict=True):
        wanted = case[f"beam{width}"]
        assert [h.words for h in hypotheses] == [h["words"] for h in wanted]
        assert [h.log_prob for h in hypotheses] == pytest.approx(
            [h["log_prob"] for h in wanted], abs=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_recorded_word_scores(name, any_backend):
    features, _, cases = golden(name)
    captions = [case["score"]["words"] for case in cases]
    found = decoder(name, backend=any_backend).score(features, captions)
    for log_probs, case in zip(found, cases, strict=True):
        assert log_probs == pytest.approx(case["score"]["log_probs"], abs=1e-3)


# Beam search ------------------------------------------------------------------------------------

def exhaustive(net, features, max_length):
    """All captions of one picture with their probabilities, best first."""
    words = range(1, net.words)
    captions = [[*begin, 0] for n in range(max_length)
                for begin in itertools.product(words, repeat=n)]
    captions += map(list, itertools.product(words, repeat=max_length))
    scores = net.score(np.repeat(features, len(captions), axis=0), captions)
    totals = [sum(log_probs) for log_probs in scores]
    order = np.argsort(-np.array(totals), kind="stable")
    return [captions[i] for i in order], [totals[i] for i in order]


@pytest.mark.parametrize("name", NAMES)
def test_a_wide_beam_is_exhaustive(name):
    net = decoder(name, words=5)
    captions, totals = exhaustive(net, FEATURES[:1], 3)
    (found,) = net.beam(FEATURES[:1], len(captions), 3)
    assert [h.words for h in found] == captions
    assert [h.log_prob for h in found] == pytest.approx(totals, abs=1e-4)
    # Wider than there are captions: all of them. Narrower: the best of an exact search.
    assert_same(net.beam(FEATURES[:1], 2 * len(captions), 3), [found])
    assert len(net.beam(FEATURES[:1], 20, 3)[0]) == 20


def test_beam_1_is_greedy():
    net = decoder()
    for features, (hypothesis,) in zip(FEATURES, net.greedy(FEATURES, 7), strict=True):
        words = []
        while len(words) < 7 and words[-1:] != [0]:
            scores = [net.score(features[None], [[*words, word]])[0] for word in range(12)]
            words.append(int(np.argmax([row[-1] for row in scores])))
            total = sum(scores[words[-1]])
        assert hypothesis.words == words
        assert hypothesis.log_prob == pytest.approx(total, abs=1e-4)


@pytest.mark.parametrize("width", [1, 4, 20])
def test_batch_equals_one_by_one(width):
    net = decoder()
    together = net.beam(FEATURES, width, 8)
    assert all(len(row) == width for row in together)
    assert_same(together, [net.beam(FEATURES[i:i + 1], width, 8)[0] for i in range(6)])


def test_pictures_that_do_not_fit_one_batch(monkeypatch):
    net = decoder()
    wanted = net.beam(FEATURES, 4, 8), net.sample(FEATURES, 4, 1, 3, 8)
    monkeypatch.setattr("caffe_lrcn.language.decoder._ROWS", 8)  # two pictures
    assert_same(net.beam(FEATURES, 4, 8), wanted[0])
    assert_same(net.sample(FEATURES, 4, 1, 3, 8), wanted[1])


def test_hypotheses_agree_with_score():
    net = decoder("1u_lstm")
    for found in (net.beam(FEATURES, 5, 9), net.sample(FEATURES, 5, 0.5, 1, 9)):
        for features, hypotheses in zip(FEATURES, found, strict=True):
            scores = net.score(np.repeat(features[None], 5, axis=0), [h.words for h in hypotheses])
            assert [h.log_prob for h in hypotheses] == pytest.approx(
                [sum(row) for row in scores], abs=1e-4)
            assert all(0 not in h.words[:-1] for h in hypotheses)
            ranks = [h.log_prob for h in hypotheses]
            assert ranks == sorted(ranks, reverse=True)


def run_rows(net, monkeypatch):
    """Record the rows of each step and how often x_static is multiplied."""
    rows, real = [], net.step_net.net.forward

    def forward(**options):
        rows.append(net.step_net.net.blobs["input_sentence"].shape[1])
        return real(**options)

    monkeypatch.setattr(net.step_net.net, "forward", forward)
    return rows


def test_finished_beams_take_no_rows(monkeypatch):
    net = decoder("1u_lstm")
    rows = run_rows(net, monkeypatch)
    (found,) = net.beam(FEATURES[:1], 5, 12)
    growing = [sum(len(h.words) > step for h in found) for step in range(len(rows))]
    assert rows[0] == 1 and min(rows[1:]) < 5
    assert all(taken <= 5 for taken in rows)
    assert rows[-1] <= growing[-1] + 1


def test_samples_that_agree_share_a_row(monkeypatch):
    net = decoder("1u_lstm")
    rows = run_rows(net, monkeypatch)
    (found,) = net.sample(FEATURES[:1], 50, 1, 0, 4)
    for step, taken in enumerate(rows):
        prefixes = {tuple(h.words[:step]) for h in found if len(h.words) > step}
        assert taken == len(prefixes)


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_is_multiplied_once(name, monkeypatch):
    net, calls = decoder(name), []
    layer = next(layer for layer in net.step_net.net.layers if getattr(layer, "has_static", 0))
    real = layer.backend.blas.gemm

    def gemm(a, b, *rest, **options):
        calls.append(b is layer.blobs[2].data)
        real(a, b, *rest, **options)

    monkeypatch.setattr(layer.backend.blas, "gemm", gemm)
    net.beam(FEATURES, 3, 8)
    assert sum(calls) == 1
    net.beam(FEATURES, 3, 8)
    assert sum(calls) == 2


def test_length_normalisation_ranks_by_the_mean():
    net = decoder("1u_lstm", words=5)
    captions, totals = exhaustive(net, FEATURES[:1], 3)
    means = np.array([total / len(words) for words, total in zip(captions, totals, strict=True)])
    order = np.argsort(-means, kind="stable")
    (found,) = net.beam(FEATURES[:1], len(captions), 3, length_normalisation=1)
    assert [h.words for h in found] == [captions[i] for i in order]
    assert found[0].log_prob == pytest.approx(totals[order[0]], abs=1e-4)
    assert order.tolist() != list(range(len(captions)))


# Sampling ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("temperature", [1, 1.7, 0.4, 0])
def test_frequencies_match_the_distribution(temperature):
    net, number = decoder("1u_lstm"), 3000
    (found,) = net.sample(FEATURES[:1], number, temperature, seed=4, max_length=2)
    first = tempered(net.score(np.repeat(FEATURES[:1], 12, axis=0), [[i] for i in range(12)]),
                     temperature)
    assert matches(np.bincount([h.words[0] for h in found], minlength=12), first)
    common = int(np.argmax(first[1:])) + 1
    second = tempered(net.score(np.repeat(FEATURES[:1], 12, axis=0),
                                [[common, i] for i in range(12)]), temperature)
    follow = [h.words[1] for h in found if h.words[0] == common]
    assert matches(np.bincount(follow, minlength=12), second)
    # The check can fail: another temperature is told apart.
    assert not matches(np.bincount([h.words[0] for h in found], minlength=12),
                       tempered(np.log(first)[:, None], 1.5) if temperature else
                       tempered(np.arange(12)[:, None], 0.2))


def tempered(log_probs, temperature):
    powers = np.exp(np.array([row[-1] for row in log_probs]) * temperature)
    return powers / powers.sum()


def matches(counts, distribution):
    return stats.chisquare(counts, distribution * counts.sum()).pvalue > 1e-3


def test_a_number_that_rounding_leaves_uncovered_is_unk():
    # CAFFE-QUIRK: 1.0 stands for a number that the sum of all shares falls short of.
    for block, word in ((False, 1), (True, 0)):
        choice = decoder(block_unknown=block).choice
        ids, _ = choice.draw(np.zeros((1, 12), np.float32), np.zeros(1, int), np.ones(1), 1.0)
        assert ids.tolist() == [word]


def test_seeds_repeat():
    net = decoder()
    first = net.sample(FEATURES, 5, 1, 7, 8)
    assert net.sample(FEATURES, 5, 1, 7, 8) == first
    assert net.sample(FEATURES, 5, 1, 8, 8) != first
    # Fewer pictures do not change the ones that stay; equal pictures get different samples.
    assert_same(net.sample(FEATURES[:2], 5, 1, 7, 8), first[:2])
    twins = net.sample(np.repeat(FEATURES[:1], 2, axis=0), 5, 1, 7, 8)
    assert twins[0] != twins[1]


def test_infinite_temperature_is_greedy():
    net = decoder()
    assert_same(net.sample(FEATURES, 2, np.inf), [2 * row for row in net.greedy(FEATURES)])


def test_best_of_ranks_at_temperature_1():
    net = decoder()
    found = net.best_of(FEATURES, 30, 1.5, seed=2)
    assert found == net.sample(FEATURES, 30, 1.5, 2)
    assert all(len(row) == 30 and row[0].log_prob == max(h.log_prob for h in row) for row in found)


# Options and forms of nets ----------------------------------------------------------------------

def test_unknown_words_can_be_blocked():
    open_ones, blocked = decoder("1u_lstm"), decoder("1u_lstm", block_unknown=True)
    features = np.random.default_rng(0).normal(size=(40, 5)) * 3
    for decode in (lambda net: net.beam(features, 4, 6), lambda net: net.beam(features, 20, 3),
                   lambda net: net.sample(features, 5, 0, 0, 6)):
        found = [[h.words for row in decode(net) for h in row] for net in (open_ones, blocked)]
        assert any(1 in words for words in found[0])
        assert not any(1 in words for words in found[1])
    (best,) = blocked.beam(features[:1], 3, 3)
    assert best[0].log_prob == pytest.approx(
        sum(open_ones.score(features[:1], [best[0].words])[0]), abs=1e-4)


def test_ids_beyond_the_vocabulary_are_not_proposed():
    net = decoder(words=9)
    for row in net.beam(FEATURES, 3) + net.sample(FEATURES, 9, 0):
        assert all(max(hypothesis.words) < 9 for hypothesis in row)


@pytest.mark.parametrize("change", [
    lambda text: text[:text.index('layer { name: "probs"')],            # ends in the logits
    lambda text: text.replace('top: "probs"', 'top: "predict"'),        # softmax in place
    lambda text: text.replace("dim: 1 dim: 1 }", "dim: 1 dim: 1000 }").replace(
        "dim: 1 dim: 5", "dim: 1000 dim: 5"),                           # a batch of its own
    lambda text: text + 'layer { name: "copy" type: "Power" bottom: "probs" top: "copy" }',
    lambda text: text.replace('top: "probs"', 'top: "p"')
    + 'layer { name: "same" type: "Power" bottom: "p" top: "probs" }',  # no softmax to skip
    lambda text: text.replace('bottom: "image_features"', 'bottom: "scaled"').replace(
        'layer { name: "embedding"', 'layer { name: "s" type: "Power" bottom: "image_features" '
        'top: "scaled" } layer { name: "embedding"'),
], ids=["logits", "in_place", "batch", "more_layers", "probabilities", "derived_static"])
def test_other_forms_of_the_net(change, tmp_path):
    text = (GOLDEN / "2f_lstm.prototxt").read_text()
    (tmp_path / "net.prototxt").write_text(change(text))
    net = decoder(prototxt=tmp_path / "net.prototxt")
    assert_same(net.beam(FEATURES, 3, 8), decoder().beam(FEATURES, 3, 8))
    assert_same(net.sample(FEATURES, 3, 1.5), decoder().sample(FEATURES, 3, 1.5))


def test_impossible_words_cost_as_much_as_1e_12():
    net = decoder("1u_lstm")
    net.step_net.net.params["predict"][1].host_data[4] = -1e4
    assert net.score(FEATURES[:1], [[4]])[0] == pytest.approx([np.log(1e-12)])


def test_length_limit_counts_the_end():
    features = golden("2f_lstm")[0][:1]          # its caption is 10, 10, <EOS>
    assert decoder("2f_lstm").greedy(features, 2)[0][0].words == [10, 10]
    assert decoder("2f_lstm").greedy(features, 3)[0][0].words == [10, 10, 0]


def test_no_pictures_and_no_words():
    net = decoder()
    nothing = np.empty((0, 5))
    assert net.greedy(nothing) == net.sample(nothing) == net.score(nothing, []) == []
    first, second, third = net.score(FEATURES[:3], [[], [3, 0], []])
    assert first == third == [] and len(second) == 2


# What is refused --------------------------------------------------------------------------------

@pytest.mark.parametrize("call, message", [
    (lambda net: net.greedy(np.ones((2, 4))), r"got \(2, 4\), wanted \(N, 5\)"),
    (lambda net: net.greedy(np.ones(5)), r"got \(5,\), wanted \(N, 5\)"),
    (lambda net: net.greedy(np.full((1, 5), np.nan)), "NaN or infinity"),
    (lambda net: net.greedy(FEATURES, 0), "max_length must be 1 or more"),
    (lambda net: net.beam(FEATURES, 0), "beam_size must be 1 or more"),
    (lambda net: net.sample(FEATURES, 0), "num must be 1 or more"),
    (lambda net: net.sample(FEATURES, 1, -1), "inverse_temperature must be 0 or more"),
    (lambda net: net.sample(FEATURES, 1, np.nan), "inverse_temperature must be 0 or more"),
    (lambda net: net.score(FEATURES, [[1]]), "got 1 captions, wanted 6"),
    (lambda net: net.score(FEATURES[:2], [[1], [12]]), "caption 1 has a word"),
])
def test_wrong_calls(call, message):
    with pytest.raises((ShapeError, UsageError), match=message):
        call(decoder())


def test_vocabulary_of_another_net():
    with pytest.raises(UsageError, match="more words than the net"):
        decoder(words=13)


def test_weights_of_another_net():
    with pytest.raises(WeightsError):
        Decoder(GOLDEN / "2f_lstm.prototxt", GOLDEN / "1u_lstm.caffemodel")


@pytest.mark.parametrize("old, new", [('"input_sentence"', '"words"'),
                                      ('"cont_sentence"', '"goes_on"'),
                                      ('"image_features"', '"picture"')])
def test_inputs_of_other_names(old, new, tmp_path):
    text = (GOLDEN / "1u_lstm.prototxt").read_text()
    (tmp_path / "net.prototxt").write_text(text.replace(old, new))
    assert_same(decoder("1u_lstm", prototxt=tmp_path / "net.prototxt").beam(FEATURES, 3, 8),
                decoder("1u_lstm").beam(FEATURES, 3, 8))


def test_a_net_of_many_steps(tmp_path):
    text = (GOLDEN / "1u_lstm.prototxt").read_text()
    (tmp_path / "net.prototxt").write_text(text.replace("dim: 1 dim: 1 }", "dim: 20 dim: 1 }"))
    with pytest.raises(ShapeError, match="one word at a time"):
        decoder("1u_lstm", prototxt=tmp_path / "net.prototxt")


def test_weights_that_are_not_finite():
    net = decoder()
    net.step_net.net.params["predict"][1].host_data[2] = np.nan
    with pytest.raises(DivergedError, match="not finite"):
        net.greedy(FEATURES)
