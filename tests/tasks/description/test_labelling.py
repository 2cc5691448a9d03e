"""CRF files, labelling, parts, agreement, and the table of TACoS."""
from __future__ import annotations

import h5py
import numpy as np
import pytest

from caffe_lrcn.errors import DataError, UsageError
from caffe_lrcn.tasks.description import labelling
from caffe_lrcn.tasks.description.crf import Crf
from caffe_lrcn.tasks.description.crf_files import read_crf, write_crf
from caffe_lrcn.tasks.description.labelling import Recipe, label_in_turn
from caffe_lrcn.tasks.description.role_records import Roles, Slot, check_vectors
from caffe_lrcn.tasks.description.tacos import read_tacos

SLOTS = (Slot("tool", ("none", "knife", "spoon")), Slot("object", ("egg", "leek")))


def made(groups=6, clips=5, seed=1):
    """Return roles of clips, and features that tell about them."""
    rng = np.random.default_rng(seed)
    ids = [f"g{group}_c{clip:02}" for group in range(groups) for clip in range(clips)]
    labels = np.stack([rng.integers(0, 3, len(ids)), rng.integers(0, 2, len(ids))], 1)
    features = 2 * np.concatenate([np.eye(3)[labels[:, 0]], np.eye(2)[labels[:, 1]]], 1)
    roles = Roles("r.json", SLOTS, ids, [None] * len(ids), labels, None, [["A."]] * len(ids))
    return roles, features + rng.standard_normal(features.shape)


def test_crf_files_keep_everything(tmp_path):
    roles, features = made()
    crf = Recipe([(0, 1)], 0.5).fit(roles, features)
    write_crf(tmp_path / "crf.h5", crf)
    again = read_crf(tmp_path / "crf.h5")
    assert again.slots == SLOTS and [*again.tables] == [(0, 1)]
    np.testing.assert_array_equal(again.marginals(features), crf.marginals(features))
    write_crf(tmp_path / "none.h5", Crf(SLOTS, crf.weights, crf.bias, {}))
    assert read_crf(tmp_path / "none.h5").tables == {}


@pytest.mark.parametrize(("name", "data", "text"), [
    ("weights", np.zeros((5, 4)), "'weights' has another form.*shape \\(any, 5\\)"),
    ("bias", None, "'bias' is missing"), ("edges", [[0, 0]], "not pairs of slots"),
    ("edges", [[0, 2]], "not pairs of slots"), ("edges", [[1, 0]], "'tables/1-0' is missing"),
    ("tables/0-1", np.full((3, 2), np.inf), "not finite"), ("slots", None, "'slots' is missing")])
def test_crf_files_that_are_refused(tmp_path, name, data, text):
    roles, features = made()
    write_crf(tmp_path / "crf.h5", Recipe([(0, 1)]).fit(roles, features))
    with h5py.File(tmp_path / "crf.h5", "a") as file:
        del file[name]
        if data is not None:
            file[name] = data
    with pytest.raises(DataError, match=text):
        read_crf(tmp_path / "crf.h5")


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.h5").write_text("{")
    for name in ("a.h5", "b.h5"):
        with pytest.raises(DataError, match=r"the CRF cannot be read.*--fit"):
            read_crf(tmp_path / name)


def test_no_clip_is_labelled_by_a_crf_of_its_group(monkeypatch):
    roles, features = made()
    seen = []
    fit = Recipe.fit

    def record(self, some, rows):
        seen.append({name[:2] for name in some.ids})
        return fit(self, some, rows)
    labelled = []
    inner = labelling.label

    def watch(some, *rest):
        labelled.append({name[:2] for name in some.ids})
        return inner(some, *rest)
    monkeypatch.setattr(Recipe, "fit", record)
    monkeypatch.setattr(labelling, "label", watch)
    found = label_in_turn(roles, features, Recipe([(0, 1)]), 3)
    assert len(seen) == 3 and not any(one & other for one, other in zip(seen, labelled,
                                                                        strict=True))
    assert set.union(*labelled) == {name[:2] for name in roles.ids}
    check_vectors(found)
    assert found.ids == roles.ids and (found.labels == roles.labels).mean() > 0.6
    for folds in (1, 7):
        with pytest.raises(UsageError, match="wanted 2 to 6"):
            label_in_turn(roles, features, Recipe([]), folds)


TABLE = """id,video,level,activity,tool,object,source,target,sentence
c1,s13.avi,detailed,cut,knife,carrot,,board,"He cuts a carrot, slowly."
c1,s13.avi,detailed,cut,knife,carrot,,board,A carrot is cut.
c1,s13.avi,short,cut,knife,carrot,,board,He cooks.
c2,s13.avi,detailed,take out,,egg,fridge,,
"""


def test_tables_of_clips_and_sentences(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(TABLE)
    roles = read_tacos(path)
    assert [slot.name for slot in roles.slots] == ["activity", "tool", "object", "source", "target"]
    assert roles.slots[1].labels == ("none", "knife")
    assert roles.ids == ["c1", "c2"] and roles.videos == ["s13.avi"] * 2
    assert roles.names(0) == ("cut", "knife", "carrot", "none", "board")
    assert roles.names(1) == ("take out", "none", "egg", "fridge", "none")
    assert roles.sentences == [["He cuts a carrot, slowly.", "A carrot is cut."], []]
    (tmp_path / "t.tsv").write_text(TABLE.split("\n")[0].replace("id,", "clip,", 1).replace(
        ",", "\t") + "\nc1\ta.avi\tshort\tcut\t\tegg\t\t\tHe cuts.\n")
    assert read_tacos(tmp_path / "t.tsv", {"id": "clip"}, "short").ids == ["c1"]


@pytest.mark.parametrize(("old", "new", "text"), [
    ("object,", "objekt,", "no column 'object'.*Did you mean 'objekt'"),
    ("sentence\n", "words\n", "no column 'sentence'.*--columns sentence=NAME"),
    ("c2,s13.avi,", "c1,s13.avi,", "other roles than in an earlier row.*wanted cut, knife"),
    ("c2,", "c2,x,", "another number of fields"), ("fridge,,", "fridge,", "another number of fi"),
    ("detailed", "long", "there are no clips"), ("\"He", "\"He\"x", "not a table")])
def test_tables_that_are_refused(tmp_path, old, new, text):
    path = tmp_path / "t.csv"
    path.write_text(TABLE.replace(old, new))
    with pytest.raises(DataError, match=text):
        read_tacos(path)
    with pytest.raises(UsageError, match="unknown column.*Did you mean 'object'"):
        read_tacos(path, {"objects": "o"})
