"""The three architectures: what their nets compute, in training and word by word."""
import h5py
import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.language.decoder import Decoder
from caffe_lrcn.language.vocabulary import Vocabulary
from caffe_lrcn.tasks.description.describe import DEPLOY, role_context
from caffe_lrcn.tasks.description.roles import Slot

from .small_data import SLOTS, STEPS, STREAMS, loss_of, make_roles, training_net, write_data

FILES = {"a": "encoder_decoder.prototxt", "b": "decoder.prototxt", "c": "decoder.prototxt"}
WORDS = ("cont_sentence", "input_sentence", "target_sentence")
SYMBOLS = ("cont_slots", "input_slots", "hand_over", *WORDS)


def first_batch(folder, architecture):
    """Return the arrays of a batch, and the ids of its clips."""
    def read(name, names, rows):
        with h5py.File(folder / f"{name}_0.h5") as file:
            return {key: file[key][:rows].astype(float) for key in names}
    clips = (folder / "clips.txt").read_text().split()[:STREAMS]
    if architecture == "a":
        slots = len(SLOTS)
        return read("symbols", SYMBOLS, slots + STEPS - 1), clips
    vectors = read({"b": "max", "c": "prob"}[architecture], ["roles"], STREAMS)
    return vectors | read("batch", WORDS, STEPS), clips


@pytest.fixture
def trained(tmp_path):
    """Return (training net in float64, its first batch, clips, roles, folder)."""
    def of(architecture):
        roles = make_roles()
        folder = write_data(tmp_path, roles)
        arrays, clips = first_batch(folder, architecture)
        net = training_net(tmp_path, FILES[architecture], arrays, get_backend("cpu", np.float64))
        return net, arrays, clips, roles
    return of


def log_probs(net, arrays):
    """Return the log probability of each target of a batch, a list a stream."""
    loss_of(net, arrays)
    scores = net.blobs["predict"].host_data
    scores = scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))
    targets = arrays["target_sentence"].astype(int)
    return [[scores[t, n, targets[t, n]] for t in range(len(targets)) if targets[t, n] >= 0]
            for n in range(targets.shape[1])]


@pytest.mark.parametrize("architecture", "abc")
def test_word_by_word_equals_the_training_net(trained, tmp_path, architecture):
    net, arrays, clips, roles = trained(architecture)
    wanted = log_probs(net, arrays)
    lengths = {len(row) for row in wanted}
    assert len(lengths) > 1
    net.save(str(tmp_path / "w.caffemodel"))
    deploy = tmp_path / DEPLOY[architecture]
    decoder = Decoder(deploy, tmp_path / "w.caffemodel", backend=get_backend("cpu", np.float64))
    rows = np.array([roles.ids.index(clip) for clip in clips])
    context = role_context(decoder.step_net, roles.select(rows), architecture, deploy)
    targets = arrays["target_sentence"].T.astype(int)
    sentences = [[int(word) for word in row if word >= 0] for row in targets]
    together = decoder.score(context, sentences)
    for i, (found, words) in enumerate(zip(together, sentences, strict=True)):
        np.testing.assert_allclose(found, wanted[i], atol=2e-6)  # weights were saved as float32
        (alone,) = decoder.score(context.rows(slice(i, i + 1)), [words])
        np.testing.assert_allclose(found, alone, atol=1e-12)
    # The searches agree with each other too.
    batch = decoder.beam(context, 3, 6)
    for i, found in enumerate(batch):
        (alone,) = decoder.beam(context.rows(slice(i, i + 1)), 3, 6)
        assert [h.words for h in alone] == [h.words for h in found]
        assert [h.log_prob for h in alone] == pytest.approx([h.log_prob for h in found])
    (greedy,), (sampled,) = (decoder.greedy(context.rows(slice(0, 1)), 6),
                             decoder.sample(context.rows(slice(0, 1)), 4, np.inf, 0, 6))
    assert greedy[0].words == batch[0][0].words or greedy[0].log_prob <= batch[0][0].log_prob
    assert all(h.words == greedy[0].words for h in sampled)


@pytest.mark.parametrize("architecture", "abc")
def test_roles_matter_and_other_clips_do_not(trained, architecture):
    net, arrays, _, _ = trained(architecture)
    before = log_probs(net, arrays)
    changed = {name: values.copy() for name, values in arrays.items()}
    if architecture == "a":
        changed["input_slots"][:len(SLOTS), 1] = (0, 3, 7)
        changed["input_sentence"][len(SLOTS):, 1] = 2
    else:
        changed["roles"][1] = 1 - changed["roles"][1]
        changed["input_sentence"][1:, 1] = 2
    after = log_probs(net, changed)
    for stream in (0, 2, 3):
        assert after[stream] == before[stream]
    assert not np.allclose(after[1][0], before[1][0], atol=1e-4)


@pytest.mark.parametrize("architecture", "abc")
def test_padding_changes_neither_scores_nor_gradients(trained, architecture):
    net, arrays, _, _ = trained(architecture)

    def run(batch):
        loss = loss_of(net, batch)
        net.clear_param_diffs()
        net.backward()
        return loss, [blob.host_diff.copy() for blobs in net.params.values() for blob in blobs]

    loss, gradients = run(arrays)
    changed = {name: values.copy() for name, values in arrays.items()}
    behind = np.cumsum(arrays["target_sentence"][::-1] >= 0, axis=0)[::-1] == 0
    assert behind.any()
    changed["input_sentence"][behind] = 2
    if architecture == "a":
        changed["input_slots"][behind] = 3
        changed["input_sentence"][:len(SLOTS) - 1] = 4  # before the hand-over, too
    found, others = run(changed)
    assert found == pytest.approx(loss, rel=1e-12)
    for gradient, other in zip(gradients, others, strict=True):
        np.testing.assert_allclose(other, gradient, atol=1e-12)


def test_gradients_reach_the_encoder(trained):
    net, arrays, _, _ = trained("a")
    random = np.random.default_rng(2)
    loss_of(net, arrays)
    net.clear_param_diffs()
    net.backward()
    for name in ("slot_embedding", "encoder"):
        for blob in net.params[name]:
            gradient = blob.host_diff.copy()
            assert np.abs(gradient).max() > 1e-4, name
            direction, values = random.normal(size=blob.shape), blob.host_data.copy()
            losses = []
            for step in (1e-5, -1e-5):
                blob.host_data[...] = values + step * direction
                losses.append(loss_of(net, arrays))
            blob.host_data[...] = values
            numeric = (losses[0] - losses[1]) / 2e-5
            assert (gradient * direction).sum() == pytest.approx(numeric, rel=2e-6)
    # Each slot counts; without a hand-over none does.
    used = np.unique(arrays["input_slots"][:len(SLOTS)]).astype(int)
    assert (np.abs(net.params["slot_embedding"][0].host_diff[used]).max(axis=1) > 1e-6).all()
    loss_of(net, {**arrays, "hand_over": 0 * arrays["hand_over"]})
    net.clear_param_diffs()
    net.backward()
    assert not net.params["encoder"][0].host_diff.any()


def test_one_slot_takes_no_step_of_its_own(tmp_path):
    roles = make_roles(slots=(Slot("what", ("a", "b", "c")),))
    write_data(tmp_path, roles)
    arrays = {name: np.zeros((STEPS, STREAMS)) for name in SYMBOLS}
    training_net(tmp_path, FILES["a"], arrays, get_backend("cpu")).save(
        str(tmp_path / "w.caffemodel"))
    deploy = tmp_path / DEPLOY["a"]
    decoder = Decoder(deploy, tmp_path / "w.caffemodel")
    found = decoder.greedy(role_context(decoder.step_net, roles, "a", deploy), 5)
    assert len(found) == 6 and decoder.classes == len(Vocabulary.read(tmp_path / "vocabulary.txt"))
