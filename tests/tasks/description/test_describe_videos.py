"""Sentences from features: as a plain loop writes them, alone or beside other videos."""
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import NetError, ShapeError
from caffe_lrcn.language.decoder import Decoder
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import parse_net, read_net
from caffe_lrcn.tasks.description import describe_videos
from caffe_lrcn.tasks.description.describe_videos import describe_features, video_context
from caffe_lrcn.tasks.description.s2vt import Clip

FOLDER = Path(__file__).parents[3] / "prototxt" / "description" / "small"
STAGES = [("factored", "2-layer"), ("unfactored", "1-layer"), ("unfactored", "2-layer")]
WIDTH, WORDS = 64, 300
FRAMES = (7, 1, 4, 12)


class InMemory:
    """Features of videos, without a file."""

    path = "memory"

    def __init__(self, arrays):
        self.arrays = arrays
        self.counts = {video: len(rows) for video, rows in arrays.items()}
        self.width = next(iter(arrays.values())).shape[1]

    def read(self, video):
        return self.arrays[video]


@pytest.fixture(scope="module")
def features():
    """Return features of four videos; some are negative, unlike those of fc7."""
    random = np.random.default_rng(1)
    return InMemory({f"v{i}": random.normal(size=(count, WIDTH)).astype(np.float32) * 2
                     for i, count in enumerate(FRAMES)})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return (training net, decoder) by net and stages, with the same weights."""
    known = {}

    def make(name, stages, steps, streams):
        if (name, stages) not in known:
            folder = tmp_path_factory.mktemp("nets")
            whole = train_net(name, stages, steps, streams)
            for blob in whole.learnable_params:
                blob.host_data[...] *= 3  # else the words hardly differ
            whole.params["predict"][1].host_data[0] = 1.5  # sentences end
            whole.save(str(folder / "w.caffemodel"))
            known[name, stages] = whole, Decoder(
                FOLDER / f"{name}.words_to_preds.deploy.prototxt", folder / "w.caffemodel",
                stages=stages)
        return known[name, stages]

    return make


def train_net(name, stages, steps, streams):
    words = (steps, streams)
    shapes = dict.fromkeys(("cont_sentence", "input_sentence", "target_sentence"), words)
    shapes |= ({"stage_indicator": words, "frame_fc7": (*words, WIDTH)} if name == "s2vt"
               else {"mean_fc7": (streams, WIDTH)})
    definition = read_net(FOLDER / f"{name}.prototxt")
    inputs = "".join(f'layer {{ name: "{blob}" type: "Input" top: "{blob}" input_param {{ shape {{ '
                     f'{" ".join(f"dim: {size}" for size in shape)} }} }} }}\n'
                     for blob, shape in shapes.items())
    definition.layers = parse_net(inputs).layers + [
        layer for layer in definition.layers if "Data" not in layer.param.type]
    return Net(definition, get_backend("cpu"), phase=caffe_pb2.TRAIN, stages=stages, seed=5)


def naive_greedy(net, frames, most):
    """Describe one video as s2vt_captioner.py does: one step at a time."""
    def step(features, word, stage, cont):
        for name, value in (("frames_fc7", features), ("input_sentence", word),
                            ("stage_indicator", stage), ("cont_sentence", cont)):
            net.blobs[name].host_data[...] = value
        net.forward()
        return net.blobs["probs"].host_data.reshape(-1).astype(np.float64)

    for name, shape in (("frames_fc7", (1, WIDTH)), ("input_sentence", (1, 1)),
                        ("stage_indicator", (1, 1)), ("cont_sentence", (1, 1))):
        net.blobs[name].reshape(*shape)
    for number, row in enumerate(frames):
        step(row, 0, 0, int(number > 0))
    words, total = [0], 0.0
    while len(words) <= most and (len(words) == 1 or words[-1]):
        probs = step(0, words[-1], 1, 1)
        words.append(int(probs.argmax()))
        total += np.log(probs[words[-1]])
    return words[1:], total


@pytest.mark.parametrize("stages", STAGES, ids="-".join)
def test_greedy_is_the_loop_of_the_original(stages, made, features):
    decoder = made("s2vt", stages, 14, 2)[1]
    found = dict(describe_features(decoder.step_net, features, list(features.counts),
                                   lambda given, _: decoder.greedy(given, 9)))
    net = decoder.step_net.net
    for video, (best,) in found.items():
        words, log_prob = naive_greedy(net, features.read(video), 9)
        assert best.words == words
        assert best.log_prob == pytest.approx(log_prob, abs=1e-3)
    assert len({tuple(best.words) for (best,) in found.values()}) > 1


def scores(decoder, features, videos, sentences):
    return [sum(words) for words in decoder.score(
        video_context(decoder.step_net, features, videos), sentences)]


SENTENCES = [[5, 9, 2, 0], [7, 0], [3, 3, 8, 250, 17, 0], [299, 1, 0]]


@pytest.mark.parametrize("stages", STAGES, ids="-".join)
def test_the_training_net_gives_the_same_log_probabilities(stages, made, features):
    """Beside another video, with padding behind the sentence."""
    steps, streams = 20, 2
    whole, decoder = made("s2vt", stages, steps, streams)
    videos = list(features.counts)
    wanted = scores(decoder, features, videos, SENTENCES)
    for pair in ((0, 1), (2, 3), (3, 0)):
        found = train_scores(whole, [features.read(videos[i]) for i in pair],
                             [SENTENCES[i] for i in pair], steps)
        assert found == pytest.approx([wanted[i] for i in pair], abs=2e-4)


def train_scores(net, frames, sentences, steps, pads=0.0):
    """Return the log probability of each stream's sentence; features of pads are ``pads``."""
    clips = [Clip("v", len(rows), tuple(words[:-1])) for rows, words in
             zip(frames, sentences, strict=True)]
    for name in ("cont_sentence", "input_sentence", "target_sentence", "stage_indicator"):
        shape = (steps, len(clips))
        net.blobs[name].reshape(*shape)
        net.blobs[name].host_data[...] = np.array(
            [clip.encode(steps)[name] for clip in clips]).T
    net.blobs["frame_fc7"].reshape(steps, len(clips), WIDTH)
    seen = net.blobs["frame_fc7"].host_data
    seen[...] = 0
    for stream, (rows, clip) in enumerate(zip(frames, clips, strict=True)):
        seen[:len(rows), stream] = rows
        seen[len(rows) + len(clip.words) + 1:, stream] = pads
    net.forward()
    logits = net.blobs["predict"].host_data.astype(np.float64)
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return [sum(log_probs[clip.frames + step, stream, word]
                for step, word in enumerate([*clip.words, 0]))
            for stream, clip in enumerate(clips)]


def test_padding_and_the_other_video_change_nothing(made, features):
    whole = made("s2vt", STAGES[0], 20, 2)[0]
    videos = list(features.counts)
    frames = [features.read(video) for video in videos]
    first, words = frames[0], SENTENCES[0]
    alone = train_scores(whole, [first], [words], 20)[0]
    for other in range(1, 4):
        beside = train_scores(whole, [first, frames[other]], [words, SENTENCES[other]], 20)[0]
        assert beside == pytest.approx(alone, abs=1e-5)
    for steps, pads in ((12, 0.0), (26, 0.0), (20, 50.0)):
        assert train_scores(whole, [first], [words], steps, pads)[0] == pytest.approx(alone,
                                                                                     abs=1e-5)


@pytest.mark.parametrize("name", ["s2vt", "poolmean"])
def test_videos_of_other_lengths_beside_change_nothing(name, made, features):
    decoder = made(name, STAGES[0], 20, 2)[1]
    videos = list(features.counts)
    together = scores(decoder, features, videos, SENTENCES)
    for video, sentence, score in zip(videos, SENTENCES, together, strict=True):
        assert scores(decoder, features, [video], [sentence]) == pytest.approx([score], abs=1e-4)
    for search in (lambda given, _: decoder.beam(given, 3, 6),
                   lambda given, _: decoder.greedy(given, 6)):
        whole = dict(describe_features(decoder.step_net, features, videos, search))
        for video in videos:
            (_, alone), = describe_features(decoder.step_net, features, [video], search)
            assert [best.words for best in alone] == [best.words for best in whole[video]]
            assert [best.log_prob for best in alone] == pytest.approx(
                [best.log_prob for best in whole[video]], abs=1e-4)


def test_beams_score_what_they_say(made, features):
    """Each hypothesis has the probability that the net gives its words."""
    decoder = made("s2vt", STAGES[0], 20, 2)[1]
    context = video_context(decoder.step_net, features, ["v0", "v3"])
    for search in (decoder.beam(context, 4, 6), decoder.sample(context, 4, max_length=6)):
        for row, hypotheses in enumerate(search):
            assert len(hypotheses) == 4
            for best in hypotheses:
                (found,) = scores(decoder, features, [("v0", "v3")[row]], [best.words])
                assert best.log_prob == pytest.approx(found, abs=1e-4)


def test_poolmean_sees_the_mean(made, features):
    whole, decoder = made("poolmean", STAGES[0], 20, 2)
    videos = ["v0", "v3"]
    sentences = [SENTENCES[0], SENTENCES[3]]
    for name, values in (
            ("cont_sentence", [[0] + [1] * 19] * 2), ("input_sentence", [
                ([0] + words[:-1] + [0] * 20)[:20] for words in sentences])):
        whole.blobs[name].host_data[...] = np.array(values).T
    whole.blobs["mean_fc7"].host_data[...] = [features.read(video).mean(0) for video in videos]
    whole.forward()
    logits = whole.blobs["predict"].host_data.astype(np.float64)
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    wanted = [sum(log_probs[step, stream, word] for step, word in enumerate(words))
              for stream, words in enumerate(sentences)]
    assert scores(decoder, features, videos, sentences) == pytest.approx(wanted, abs=2e-4)


def test_many_videos_go_in_parts(made, features, monkeypatch):
    decoder = made("s2vt", STAGES[0], 20, 2)[1]
    monkeypatch.setattr(describe_videos, "_BATCH", 3)
    starts = []

    def search(given, start):
        starts.append((len(given), start))
        return decoder.greedy(given, 5)

    found = list(describe_features(decoder.step_net, features, list(features.counts), search))
    assert [video for video, _ in found] == list(features.counts)
    assert starts == [(3, 0), (1, 3)]


def test_features_of_another_width(made):
    decoder = made("s2vt", STAGES[0], 20, 2)[1]
    with pytest.raises(ShapeError, match=r"the features do not fit the net.*got 5.*wanted 64"):
        next(describe_features(decoder.step_net, InMemory({"a": np.zeros((2, 5))}), ["a"],
                               lambda given, _: decoder.greedy(given)))


def test_a_net_that_takes_something_else(made):
    decoder = made("s2vt", STAGES[0], 20, 2)[1]
    inputs = decoder.step_net.inputs

    class Other:
        """A net with a map of features."""

        class inputs:
            rest = {**inputs.rest, "map": (3, 4, 4)}

    with pytest.raises(NetError, match=r"does not describe videos.*map \(3, 4, 4\)"):
        video_context(Other, InMemory({"a": np.zeros((2, 5))}), ["a"])
