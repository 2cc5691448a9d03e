"""Files of roles: both forms say the same, and what is wrong is told with its clip."""
from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from caffe_lrcn.errors import CaffeError, DataError, UsageError
from caffe_lrcn.tasks.description.roles import Roles, Slot, read_roles, write_roles

SLOTS = [{"name": "activity", "labels": ["none", "cut", "peel"]},
         {"name": "tool", "labels": ["none", "knife"]}]


def clip(name="v1", **changes):
    return {"id": name, "video": f"videos/{name}.avi", "roles": {"tool": "knife",
                                                                 "activity": "cut"},
            "probabilities": {"activity": [0.1, 0.7, 0.2], "tool": [0.5, 0.5]},
            "sentences": ["A person cuts.", "Somebody is cutting ünusually."]} | changes


def without(entry, *keys):
    return {key: value for key, value in entry.items() if key not in keys}


def write(tmp_path, *clips, **changes):
    path = tmp_path / "roles.json"
    path.write_text(json.dumps({"slots": SLOTS, "clips": list(clips)} | changes))
    return path


def assert_same(one: Roles, other: Roles):
    assert (one.slots, one.ids, one.videos, one.sentences, one.joint) == (
        other.slots, other.ids, other.videos, other.sentences, other.joint)
    np.testing.assert_array_equal(one.labels, other.labels)
    if one.probabilities is None:
        assert other.probabilities is None
    else:
        np.testing.assert_array_equal(one.probabilities, other.probabilities)


def test_json_is_read(tmp_path):
    second = clip("v2", video=None, roles={"activity": "none", "tool": "none"},
                  probabilities={"tool": [1, 0], "activity": [0.4, 0.3, 0.3]}, sentences=[])
    roles = read_roles(write(tmp_path, clip(), second))
    assert roles.slots == (Slot("activity", ("none", "cut", "peel")),
                           Slot("tool", ("none", "knife")))
    assert roles.ids == ["v1", "v2"] and roles.videos == ["videos/v1.avi", None]
    assert roles.labels.tolist() == [[1, 1], [0, 0]] and roles.labels.dtype == np.int64
    assert roles.sentences == [clip()["sentences"], []]
    assert roles.states == 5 and roles.offsets.tolist() == [0, 3]
    assert roles.tokens().tolist() == [[1, 4], [0, 3]]
    assert roles.one_hot().tolist() == [[0, 1, 0, 0, 1], [1, 0, 0, 1, 0]]
    assert roles.one_hot().dtype == roles.marginals().dtype == np.float32
    np.testing.assert_allclose(roles.marginals()[1], [0.4, 0.3, 0.3, 1, 0])
    assert roles.names(0) == ("cut", "knife")
    assert roles.select(np.array([1])).ids == ["v2"]


def test_labels_only_and_probabilities_only(tmp_path):
    labels = read_roles(write(tmp_path, without(clip(), "probabilities")))
    assert labels.probabilities is None and labels.labels.tolist() == [[1, 1]]
    with pytest.raises(DataError, match="labels but no probabilities"):
        labels.marginals()
    vectors = read_roles(write(tmp_path, without(clip(), "roles", "sentences", "video")))
    assert vectors.labels.tolist() == [[1, 0]]  # the first of equal ones
    assert vectors.sentences == [[]]


@pytest.mark.parametrize("suffix", [".json", ".h5", ".hdf5"])
@pytest.mark.parametrize("keys", [(), ("probabilities",), ("roles", "video"), ("sentences",)])
@pytest.mark.parametrize("maximum", ["slot", "joint"])
def test_both_forms_keep_everything(tmp_path, suffix, keys, maximum):
    roles = read_roles(write(tmp_path, without(clip(), *keys), without(clip("w/2"), *keys),
                             maximum=maximum))
    write_roles(tmp_path / f"copy{suffix}", roles)
    assert_same(read_roles(tmp_path / f"copy{suffix}"), roles)


def test_a_joint_maximum_may_disagree_with_the_vectors(tmp_path):
    other = clip(roles={"activity": "peel", "tool": "knife"})
    assert read_roles(write(tmp_path, other, maximum="joint")).labels.tolist() == [[2, 1]]
    other["probabilities"]["activity"] = [0.3, 0.7, 0.0]
    with pytest.raises(DataError, match="label of slot 'activity' cannot be by its vector"):
        read_roles(write(tmp_path, other, maximum="joint"))


def probabilities(**changes):
    return clip(probabilities=clip()["probabilities"] | changes)


@pytest.mark.parametrize(("bad", "texts"), [
    (without(clip("v2"), "roles", "probabilities"), ["clips[1] ('v2')", "roles are missing"]),
    (without(clip("v2"), "roles"), ["clips[1] ('v2')", "some clips have 'roles', others do not"]),
    (without(clip("v2"), "probabilities"), ["some clips have 'probabilities'"]),
    (clip("v2", roles={"activity": "cut"}), ["slot 'tool' is missing in 'roles'", "'v2'"]),
    (clip("v2", roles={"activity": "cutt", "tool": "none"}),
     ["unknown label of slot 'activity'", "got 'cutt'", "Did you mean 'cut'?"]),
    (clip("v2", roles={"activity": "cut", "tol": "none"}),
     ["unknown slot in 'roles'", "Did you mean 'tool'?"]),
    (clip("v2", roles={"activity": 1, "tool": "none"}), ["is not text", "got 1"]),
    (clip("v2", roles=["cut"]), ["'roles' is not an object"]),
    (clip("v2", probabilities={"activity": [0, 1, 0]}), ["slot 'tool' is missing in 'prob"]),
    (clip("v2", probabilities={"activity": [0.1, 0.7], "tool": [0, 1]}),
     ["vector of slot 'activity' has another length", "got 2, wanted 3"]),
    (clip("v2", probabilities={"activity": [0.1, 0.7, 0.3], "tool": [0, 1]}),
     ["'v2'", "vector of slot 'activity' is not one of probabilities", "a sum of 1.1"]),
    (clip("v2", probabilities={"activity": [-0.5, 1.2, 0.3], "tool": [0, 1]}),
     ["a value of -0.5"]),
    (clip("v2", probabilities={"activity": [float("nan"), 1, 0], "tool": [0, 1]}),
     ["a value of nan"]),
    (clip("v2", probabilities={"activity": [10 ** 400, 1, 0], "tool": [0, 1]}),
     ["a sum of 3"]),
    (clip("v2", probabilities={"activity": ["0", 1, 0], "tool": [0, 1]}), ["list of numbers"]),
    (clip("v2", roles={"activity": "peel", "tool": "knife"}),
     ["label of slot 'activity' disagrees", "got peel, whose probability is 0.2",
      "wanted cut, whose probability is 0.7", '"maximum": "joint"']),
    (clip("v2", sentences=["A person cuts.", "  "]), ["'v2'", "sentence is empty"]),
    (clip("v2", sentences="A person cuts."), ["'sentences' is not a list of texts"]),
    (clip("v2", sentences=[3]), ["'sentences' is not a list of texts"]),
    (clip("v2", sentences=["a\0"]), ["zero or half a character"]),
    (clip("v2", sentences=["a\ud800"]), ["zero or half a character"]),
    (clip("v2", video="a\0"), ["'video' is not a path"]),
    (clip("v1"), ["clips[1] ('v1')", "two clips have the id 'v1'", "clips[0]"]),
    (clip(""), ["clips[1]", "id of a clip must be text"]),
    (clip("a\nb", video="a"), ["clips[1] ('a\\nb')", "id of a clip must be text"]),
    (clip(7), ["id of a clip must be text", "got 7"]),
    (without(clip(), "id"), ["id of a clip must be text", "got none"]),
    (clip("v2", video=3), ["'video' is not a path"]),
    (clip("v2", probabilites={}), ["unknown key 'probabilites'", "Did you mean 'probabilities'"]),
    ("v2", ["clips[1]", "not a clip"]),
])
def test_clips_that_are_refused(tmp_path, bad, texts):
    path = write(tmp_path, clip(), bad)
    with pytest.raises(DataError) as caught:
        read_roles(path)
    for text in [str(path), *texts]:
        assert text in str(caught.value)


@pytest.mark.parametrize(("changes", "text"), [
    ({"slots": []}, "there are no slots"), ({"clips": []}, "there are no clips"),
    ({"clips": {}}, "not a file of roles"), ({"maximum": "both"}, "unknown 'maximum'"),
    ({"slot": []}, "unknown key 'slot'"),
    ({"slots": [SLOTS[0], SLOTS[0]]}, "slot 'activity' is there twice"),
    ({"slots": [{"name": "tool", "labels": []}]}, "slot 'tool' has no labels"),
    ({"slots": [{"name": "tool", "labels": ["a", "b", "a"]}]}, "has label 'a' twice"),
    ({"slots": [{"name": "tool", "labels": ["a", " "]}]}, "a label of slot 'tool' must be text"),
    ({"slots": [{"name": "tool", "labels": ["a", "b\ud800"]}]}, "must be text on one line"),
    ({"slots": [{"name": "", "labels": ["a"]}]}, "the name of a slot must be text"),
    ({"slots": [{"name": "tool"}]}, "slots[0]: not a slot"),
    ({"slots": [SLOTS[0], SLOTS[1] | {"label": []}]}, "unknown key 'label'"),
])
def test_files_that_are_refused(tmp_path, changes, text):
    with pytest.raises(DataError) as caught:
        read_roles(write(tmp_path, clip(), **changes))
    assert text in str(caught.value)


def test_files_of_other_kinds(tmp_path):
    for name, text in (("a.json", "not JSON"), ("a.h5", "cannot be read")):
        (tmp_path / name).write_text("{")
        with pytest.raises(DataError, match=text):
            read_roles(tmp_path / name)
    for use in (read_roles, lambda path: write_roles(path, read_roles(
            write(tmp_path, clip())))):
        with pytest.raises(UsageError, match=r"ends in \.json, \.h5 or \.hdf5"):
            use(tmp_path / "a.txt")


def replaced(name, data):
    def change(file):
        del file[name]
        if data is not None:
            file[name] = data
    return change


def joint(file):
    file.attrs["maximum"] = "both"


@pytest.mark.parametrize(("change", "text"), [
    (replaced("ids", None), "dataset 'ids' is missing"),
    (replaced("ids", [1]), "'ids' is not a row of texts"),
    (replaced("ids", ["v2", "w"]), "'videos' has another length than 'ids' (got 1, wanted 2)"),
    (replaced("slot_sizes", [3, 3]), "'slot_sizes' do not fit"),
    (replaced("slot_sizes", [3]), "'slot_sizes' has another form"),
    (replaced("slot_labels", None), "dataset 'slot_labels' is missing"),
    (replaced("labels", np.array([[1, 2]])), "unknown label of slot 'tool' (got 2, wanted 0 to 1)"),
    (replaced("labels", np.array([[2, 1]])), "label of slot 'activity' disagrees"),
    (replaced("labels", np.array([[1.0, 1.0]])), "'labels' has another form"),
    (replaced("probabilities", np.ones((1, 4))), "wanted fractions of shape (1, 5)"),
    (replaced("probabilities", np.ones((1, 5))), "a sum of 3"),
    (replaced("sentence_counts", [3]), "'sentence_counts' do not fit"),
    (replaced("sentence_counts", None), "dataset 'sentence_counts' is missing"),
    (replaced("sentences", ["A", " "]), "a sentence is empty"),
    (joint, "unknown attribute 'maximum'"),
])
def test_hdf5_that_is_refused(tmp_path, change, text):
    path = tmp_path / "roles.h5"
    write_roles(path, read_roles(write(tmp_path, clip())))
    with h5py.File(path, "a") as file:
        change(file)
    with pytest.raises(DataError) as caught:
        read_roles(path)
    assert text in str(caught.value) and str(path) in str(caught.value)


def test_hdf5_without_roles(tmp_path):
    path = tmp_path / "roles.h5"
    write_roles(path, read_roles(write(tmp_path, clip())))
    with h5py.File(path, "a") as file:
        del file["labels"], file["probabilities"]
    with pytest.raises(DataError, match="the roles are missing"):
        read_roles(path)


def test_damaged_hdf5_is_read_or_refused(tmp_path):
    path, rng = tmp_path / "roles.h5", np.random.default_rng(1)
    write_roles(path, read_roles(write(tmp_path, clip())))
    content = path.read_bytes()
    for _ in range(60):
        damaged = bytearray(content)
        for place in rng.integers(0, len(damaged), 4):
            damaged[place] ^= 1 << int(rng.integers(0, 8))
        path.write_bytes(damaged)
        try:
            read_roles(path)
        except CaffeError as error:
            assert len(str(error)) < 9000


def test_what_could_not_be_read_is_not_written(tmp_path):
    roles = read_roles(write(tmp_path, clip()))
    roles.probabilities[0, 0] = 0.5
    for name in ("a.json", "a.h5"):
        with pytest.raises(DataError, match="not one of probabilities"):
            write_roles(tmp_path / name, roles)
        assert not (tmp_path / name).exists()
