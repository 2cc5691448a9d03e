"""Decoders of any form: held inputs, inputs of each step, exposed states.

The oracle of each is the same net over all steps of one sentence at once.
"""
import numpy as np
import pytest

from caffe_lrcn.errors import NetError, ShapeError, UsageError
from caffe_lrcn.language.context import Context
from caffe_lrcn.language.decoder import Decoder
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import parse_net

FILL = 'weight_filler { type: "uniform" min: -1 max: 1 } bias_filler { type: "uniform" max: 1 }'
INPUT = 'layer {{ name: "{0}" type: "Input" top: "{0}" input_param {{ shape {{ {1} }} }} }}\n'
WORDS = (INPUT.format("goes_on", "dim: T dim: N") + INPUT.format("word", "dim: T dim: N")
         + 'layer { name: "embedding" type: "Embed" bottom: "word" top: "embedded" '
           'embed_param { input_dim: 7 num_output: 4 bias_term: false FILL } }\n')
PREDICT = ('layer { name: "predict" type: "InnerProduct" bottom: "BOTTOM" top: "logits" '
           'inner_product_param { num_output: 7 axis: 2 FILL } }\n'
           'layer { name: "out" type: "Softmax" bottom: "logits" top: "next" '
           'softmax_param { axis: 2 } }')
LSTM = 'recurrent_param { num_output: 5 FILL } }\n'

# Two held inputs, one of them multiplied and joined to each word.
TWO = (WORDS + INPUT.format("scene", "dim: N dim: 3")
       + INPUT.format("roles", "dim: N dim: 2 dim: 2")
       + 'layer { name: "of_roles" type: "InnerProduct" bottom: "roles" top: "of_roles" '
         'inner_product_param { num_output: 4 FILL } }\n'
         'layer { name: "step" type: "Reshape" bottom: "of_roles" top: "step" '
         'reshape_param { shape { dim: 1 dim: -1 dim: 4 } } }\n'
         'layer { name: "every" type: "Tile" bottom: "step" top: "every" '
         'tile_param { axis: 0 tiles: T } }\n'
         'layer { name: "both" type: "Eltwise" bottom: "embedded" bottom: "every" top: "both" }\n'
         'layer { name: "lstm" type: "LSTM" bottom: "both" bottom: "goes_on" bottom: "scene" '
         'top: "lstm" ' + LSTM + PREDICT.replace("BOTTOM", "lstm"))
# Like S2VT: two layers, the first over frames, the second over its output, words and a stage.
VIDEO = (WORDS + INPUT.format("frames", "dim: T dim: N dim: 3")
         + INPUT.format("stage", "dim: T dim: N")
         + 'layer { name: "of_frames" type: "InnerProduct" bottom: "frames" top: "of_frames" '
           'inner_product_param { num_output: 4 axis: 2 FILL } }\n'
           'layer { name: "as_column" type: "Reshape" bottom: "stage" top: "column" '
           'reshape_param { shape { dim: 0 dim: 0 dim: 1 } } }\n'
           'layer { name: "lstm1" type: "LSTM" bottom: "of_frames" bottom: "goes_on" top: "lstm1" '
         + LSTM + 'layer { name: "joined" type: "Concat" bottom: "lstm1" bottom: "embedded" '
                  'bottom: "column" top: "joined" concat_param { axis: 2 } }\n'
                  'layer { name: "lstm2" type: "LSTM" bottom: "joined" bottom: "goes_on" '
                  'top: "lstm2" ' + LSTM + PREDICT.replace("BOTTOM", "lstm2"))
# An encoder whose output is handed over in the step of the first word, to a decoder that sleeps
# until then.
HANDED = (WORDS.replace('"word"', '"input_sentence"').replace("goes_on", "cont_sentence")
          + "".join(INPUT.format(name, "dim: T dim: N")
                    for name in ("reads_on", "hand_over", "symbols"))
          + INPUT.format("scene", "dim: N dim: 3")
          + 'layer { name: "of_symbols" type: "Embed" bottom: "symbols" top: "of_symbols" '
            'embed_param { input_dim: 6 num_output: 4 bias_term: false FILL } }\n'
            'layer { name: "encoder" type: "LSTM" bottom: "of_symbols" bottom: "reads_on" '
            'bottom: "scene" top: "encoder" ' + LSTM
          + 'layer { name: "gate" type: "Scale" bottom: "encoder" bottom: "hand_over" '
            'top: "handed_over" scale_param { axis: 0 } }\n'
            'layer { name: "joined" type: "Concat" bottom: "handed_over" bottom: "embedded" '
            'top: "joined" concat_param { axis: 2 } }\n'
            'layer { name: "lstm2" type: "LSTM" bottom: "joined" bottom: "cont_sentence" '
            'top: "lstm2" ' + LSTM + PREDICT.replace("BOTTOM", "lstm2"))
# One layer whose states come in and go out.
EXPOSED = (WORDS + INPUT.format("h", "dim: 1 dim: N dim: 5")
           + INPUT.format("c", "dim: 1 dim: N dim: 5")
           + 'layer { name: "lstm" type: "LSTM" bottom: "embedded" bottom: "goes_on" bottom: "h" '
             'bottom: "c" top: "lstm" top: "h_last" top: "c_last" recurrent_param { '
             'num_output: 5 expose_hidden: true FILL } }\n' + PREDICT.replace("BOTTOM", "lstm"))
CARRIED = (WORDS + 'layer { name: "lstm" type: "LSTM" bottom: "embedded" bottom: "goes_on" '
                   'top: "lstm" ' + LSTM + PREDICT.replace("BOTTOM", "lstm"))
RANDOM = np.random.default_rng(3)


def definition(text, steps, rows):
    for name, value in (("FILL", FILL), ("T", str(steps)), ("N", str(rows))):
        text = text.replace(f"dim: {name} ", f"dim: {value} ") if len(name) == 1 else \
            text.replace(name, value)
    return text.replace("tiles: T", f"tiles: {steps}")


@pytest.fixture
def make(tmp_path, any_backend):
    """Return (decoder of a net, log probabilities of a sentence by the net over all its steps)."""
    backend = any_backend

    def of(text, rows=2):
        (tmp_path / "step.prototxt").write_text(definition(text, 1, rows))
        trained = Net(parse_net(definition(text, 1, rows)), backend, phase=caffe_pb2.TEST, seed=4)
        weights = str(tmp_path / "w.caffemodel")
        trained.save(weights)

        def unrolled(words, before=0, **inputs):
            """Score ``words`` after some steps, given the net's inputs over all steps."""
            steps = before + len(words)
            net = Net(parse_net(definition(text, steps, 1)), backend, phase=caffe_pb2.TEST)
            net.copy_trained_layers_from(weights)
            word = "word" if "word" in net.blobs else "input_sentence"
            inputs = {word: [0] * (before + 1) + words[:-1], **inputs}
            if "goes_on" in net.blobs:
                inputs = {"goes_on": np.arange(steps) > 0, **inputs}
            for name, values in inputs.items():
                blob = net.blobs[name].host_data
                blob[...] = np.reshape(values, blob.shape)
            net.forward()
            chosen = net.blobs["next"].host_data[before:, 0]
            return np.log(chosen[np.arange(len(words)), words])
        return Decoder(tmp_path / "step.prototxt", weights, backend=backend), unrolled
    return of


SENTENCES = [[3, 2, 6, 0], [5, 5, 1, 4, 0], [2, 0]]


def assert_consistent(net, given):
    """Hypotheses of any search score what ``score`` gives them."""
    for found in (net.beam(given, 4, 6), net.sample(given, 6, 0.3, 1, 6)):
        for k in range(4):
            scores = net.score(given, [row[k].words for row in found])
            np.testing.assert_allclose([row[k].log_prob for row in found],
                                       [sum(row) for row in scores], atol=1e-4)


def test_two_held_inputs(make):
    net, unrolled = make(TWO)
    given = {"scene": RANDOM.normal(size=(3, 3)), "roles": RANDOM.normal(size=(3, 2, 2))}
    found = net.score(given, SENTENCES)
    for i, words in enumerate(SENTENCES):
        wanted = unrolled(words, scene=given["scene"][i:i + 1], roles=given["roles"][i:i + 1])
        np.testing.assert_allclose(found[i], wanted, atol=1e-5)
    assert_consistent(net, given)
    # Both inputs matter, and each sentence has its own.
    swapped = {**given, "roles": given["roles"][::-1]}
    assert net.score(swapped, SENTENCES) != found


@pytest.mark.parametrize("rows", [1, 2])
def test_frames_are_read_before_the_words(make, rows):
    net, unrolled = make(VIDEO, rows)
    videos = [RANDOM.normal(size=(frames, 3)) for frames in (4, 1, 7)]
    given = Context(3, {"frames": np.zeros((3, 3)), "stage": np.ones(3)},
                    {"frames": videos, "stage": [np.zeros(len(video)) for video in videos]})
    found = net.score(given, SENTENCES)
    for video, words, log_probs in zip(videos, SENTENCES, found, strict=True):
        steps = len(video) + len(words)
        frames = np.concatenate([video, np.zeros((len(words), 3))])
        wanted = unrolled(words, len(video), frames=frames, stage=np.arange(steps) >= len(video))
        np.testing.assert_allclose(log_probs, wanted, atol=1e-5)
    assert_consistent(net, given)
    # The last frame counts, and a batch before leaves nothing behind.
    assert net.score(given, SENTENCES) == found
    videos[0][-1] += 1
    assert net.score(given, SENTENCES)[0] != found[0]


def handed(symbols, scene):
    """T - 1 symbols of each sentence before its words, the last one in the step of the first."""
    count = len(symbols)
    return Context(
        count, {"reads_on": np.ones(count), "hand_over": np.zeros(count),
                "symbols": np.full(count, -1), "scene": scene},
        {"reads_on": [np.arange(len(row) - 1) > 0 for row in symbols],
         "symbols": [np.array(row[:-1]) for row in symbols],
         "cont_sentence": [np.zeros(len(row) - 1) for row in symbols]},
        {"reads_on": np.array([len(row) > 1 for row in symbols]), "hand_over": np.ones(count),
         "symbols": np.array([row[-1] for row in symbols]), "cont_sentence": np.zeros(count)})


def test_the_first_word_comes_in_the_step_of_the_last_symbol(make):
    net, unrolled = make(HANDED)
    symbols, scene = [[3, 1, 4], [5], [2, 0, 1, 1, 5]], RANDOM.normal(size=(3, 3))
    given = handed(symbols, scene)
    found = net.score(given, SENTENCES)
    for i, (row, words) in enumerate(zip(symbols, SENTENCES, strict=True)):
        steps, before = len(row) + len(words) - 1, len(row) - 1
        at = np.arange(steps)
        wanted = unrolled(words, before, scene=scene[i:i + 1], reads_on=at > 0,
                          symbols=[*row, *[-1] * (len(words) - 1)], hand_over=at == before,
                          cont_sentence=at > before)
        np.testing.assert_allclose(found[i], wanted, atol=1e-5)
        (alone,) = net.score(given.rows(slice(i, i + 1)), [words])
        np.testing.assert_allclose(found[i], alone, atol=1e-5)
    assert_consistent(net, given)
    # The last symbol counts, and the first one does.
    assert net.score(handed([[3, 1, 0], [5], [2, 0, 1, 1, 5]], scene), SENTENCES)[0] != found[0]
    assert net.score(handed([[0, 1, 4], [5], [2, 0, 1, 1, 5]], scene), SENTENCES)[0] != found[0]


def test_a_decoder_that_sleeps_is_not_run(make, monkeypatch):
    net, _ = make(HANDED)
    real, last = net.step_net.net.forward, []

    def forward(**options):
        last.append(net.step_net.net.nodes[options["end"]].layer.name)
        return real(**options)

    monkeypatch.setattr(net.step_net.net, "forward", forward)
    given = handed([[3, 1, 4], [5]], np.ones((2, 3)))
    net.score(given, [[2, 1], [3, 0]])
    assert last == ["encoder", "encoder", "predict", "predict"]
    last.clear()
    awake = {**given.first, "cont_sentence": np.array([0, 1])}  # one of them goes on from what was
    net.score(Context(2, given.held, given.read, awake), [[2, 1], [3, 0]])
    assert last == ["lstm2", "lstm2", "predict", "predict"]


def test_what_is_static_may_differ_at_the_first_word(make):
    net, _ = make(TWO)
    scene, roles = RANDOM.normal(size=(3, 3)), RANDOM.normal(size=(3, 2, 2))
    same = {"scene": scene, "roles": roles}
    assert net.score(Context(3, same, {}, {"scene": scene}), SENTENCES) == net.score(
        same, SENTENCES)
    found = net.score(Context(3, same, {}, {"scene": scene + 1}), SENTENCES)
    first = net.score({**same, "scene": scene + 1}, SENTENCES)
    for row, other in zip(found, first, strict=True):
        assert row[0] == other[0] and row[1:] != other[1:]


def test_exposed_states_equal_carried_ones(make, tmp_path, any_backend):
    net, _ = make(EXPOSED)
    (tmp_path / "carried.prototxt").write_text(definition(CARRIED, 1, 2))
    carried = Decoder(tmp_path / "carried.prototxt", tmp_path / "w.caffemodel",
                      backend=any_backend)
    nothing = Context(3)
    assert net.score(nothing, SENTENCES) == carried.score(np.empty((3, 0)), SENTENCES)
    assert net.beam(nothing, 4, 6) == carried.beam(nothing, 4, 6)
    assert_consistent(net, nothing)


def test_a_state_that_is_given_is_where_sentences_begin(make):
    net, unrolled = make(EXPOSED)
    given = {"h": RANDOM.normal(size=(3, 5)), "c": RANDOM.normal(size=(3, 5))}
    found = net.score(given, SENTENCES)
    for i, words in enumerate(SENTENCES):
        wanted = unrolled(words, goes_on=np.ones(len(words)), h=given["h"][i], c=given["c"][i])
        np.testing.assert_allclose(found[i], wanted, atol=1e-5)
    assert_consistent(net, given)


SCENES, ROLES = np.ones((2, 3)), np.ones((2, 2, 2))


@pytest.mark.parametrize("given, message", [
    (SCENES, r"several inputs \(got an array \(2, 3\), wanted a mapping of roles, scene"),
    ({"scene": SCENES}, r"not those of the decoder's inputs \(got scene, wanted roles"),
    ({"scene": SCENES, "roles": ROLES, "x": np.ones(2)}, "got roles, scene, x"),
    ({"scene": SCENES, "roles": np.ones((2, 4))}, r"'roles'.*\(2, 4\), wanted \(N, 2, 2\)"),
    ({"scene": SCENES, "roles": np.ones((3, 2, 2))}, r"wanted \(2, 2, 2\)"),
    ({"scene": SCENES, "roles": ROLES * np.inf}, "NaN or infinity"),
    (Context(1, {"scene": SCENES[:1], "roles": ROLES[:1]},
             {"scene": [np.ones((2, 3))], "roles": [np.ones((3, 2, 2))]}), "differ in the steps"),
    (Context(2, {"scene": SCENES, "roles": ROLES}, {}, {"scene": np.ones((2, 4))}),
     r"'scene'.*\(2, 4\), wanted \(N, 3\)"),
    (Context(2, {"scene": SCENES, "roles": ROLES}, {}, {"x": np.ones(2)}), "got roles, scene, x"),
    (Context(2, {"scene": SCENES, "roles": ROLES, "goes_on": np.ones(2)}), "goes_on, roles"),
    (Context(2, {"scene": SCENES, "roles": ROLES}, {}, {"goes_on": np.ones((2, 1))}),
     r"'goes_on'.*\(2, 1\), wanted \(N\)"),
])
def test_values_that_do_not_fit(make, given, message):
    with pytest.raises((ShapeError, UsageError), match=message):
        make(TWO)[0].greedy(given)


MORE = 'layer {{ name: "x" type: "Power" bottom: "{}" top: "x" }}\n'


@pytest.mark.parametrize("old, new, message", [
    (WORDS[WORDS.index("layer { name: \"emb"):], 'layer { name: "column" type: "Reshape" '
     'bottom: "word" top: "embedded" reshape_param { shape { dim: 0 dim: 0 dim: 1 } } }\n',
     "an Embed layer reads: none"),
    ('layer { name: "lstm" type: "LSTM" bottom: "embedded" bottom: "goes_on" bottom: "h"',
     MORE.format("h") + 'layer { name: "lstm" type: "LSTM" bottom: "embedded" bottom: "goes_on" '
     'bottom: "x"', "takes its state from 'x'"),
    ('layer { name: "lstm" type: "LSTM" bottom: "embedded" bottom: "goes_on"',
     'layer { name: "sum" type: "Eltwise" bottom: "word" bottom: "goes_on" top: "x" }\n'
     'layer { name: "lstm" type: "LSTM" bottom: "embedded" bottom: "x"',
     "recurrent layers take as cont: goes_on, word"),
    ('layer { name: "out"', MORE.format("embedded") + 'layer { name: "out"',
     "wanted the output probs or predict, or a single one")],
    ids=["no_words", "made_state", "two_conts", "two_outputs"])
def test_a_net_that_is_no_decoder(make, old, new, message):
    assert old in EXPOSED
    with pytest.raises(NetError, match=message):
        make(EXPOSED.replace(old, new))
