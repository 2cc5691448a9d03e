"""Greedy decoding, against recorded hypotheses and on a net whose answers are known."""
import json
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.errors import NetError, ShapeError, UsageError, WeightsError
from caffe_lrcn.tasks.captioning import Decoder

GOLDEN = Path(__file__).parents[2] / "golden" / "captions"


def decoder(name, **options):
    return Decoder(GOLDEN / f"{name}.prototxt", GOLDEN / f"{name}.caffemodel", **options)


@pytest.mark.parametrize("name", ["1u_lstm", "2f_lstm"])
def test_recorded_hypotheses(name):
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    found = decoder(name).greedy(np.array(golden["features"]), golden["max_length"])
    assert len(found) == len(golden["cases"])
    for (hypothesis,), case in zip(found, golden["cases"], strict=True):
        (best,) = case["beam1"]
        assert hypothesis.words == best["words"]
        assert hypothesis.log_prob == pytest.approx(best["log_prob"], rel=2e-4, abs=2e-4)


def test_one_picture_as_in_a_batch():
    golden = json.loads((GOLDEN / "2f_lstm.json").read_text())
    net, features = decoder("2f_lstm"), np.array(golden["features"])
    together = net.greedy(features, 12)
    alone = [net.greedy(features[i:i + 1], 12)[0] for i in range(len(features))]
    assert [h[0].words for h in alone] == [h[0].words for h in together]


def test_a_second_call_starts_afresh():
    net, features = decoder("1u_lstm"), np.ones((2, 5))
    assert net.greedy(features, 6) == net.greedy(features, 6)


def test_length_limit_counts_the_end():
    golden = json.loads((GOLDEN / "2f_lstm.json").read_text())
    features = np.array(golden["features"])[:1]          # its caption is 10, 10, <EOS>
    assert decoder("2f_lstm").greedy(features, 2)[0][0].words == [10, 10]
    assert decoder("2f_lstm").greedy(features, 3)[0][0].words == [10, 10, 0]


def test_ids_beyond_the_vocabulary_are_not_proposed():
    golden = json.loads((GOLDEN / "2f_lstm.json").read_text())
    for (hypothesis,) in decoder("2f_lstm", words=9).greedy(np.array(golden["features"]), 12):
        assert max(hypothesis.words) < 9


def test_no_pictures():
    assert decoder("1u_lstm").greedy(np.empty((0, 5))) == []


def test_wrong_calls():
    with pytest.raises(ShapeError, match=r"got \(2, 4\), wanted \(N, 5\)"):
        decoder("1u_lstm").greedy(np.ones((2, 4)))
    with pytest.raises(UsageError, match="at least one word"):
        decoder("1u_lstm").greedy(np.ones((1, 5)), 0)
    with pytest.raises(UsageError, match="more words than the net"):
        decoder("1u_lstm", words=13)


def test_weights_of_another_net():
    with pytest.raises(WeightsError):
        Decoder(GOLDEN / "2f_lstm.prototxt", GOLDEN / "1u_lstm.caffemodel")


def test_a_net_that_is_no_decoder(tmp_path):
    text = (GOLDEN / "1u_lstm.prototxt").read_text()
    (tmp_path / "net.prototxt").write_text(text.replace('"probs"', '"scores"'))
    with pytest.raises(NetError, match="no blob 'probs'"):
        Decoder(tmp_path / "net.prototxt", GOLDEN / "1u_lstm.caffemodel")
