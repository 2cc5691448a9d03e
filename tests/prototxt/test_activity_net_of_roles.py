"""The activity net of video description trains on generated clips, and its weights deploy."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from caffe_lrcn.cli.main import main
from caffe_lrcn.proto.text import read_net
from caffe_lrcn.tasks.description.roles import read_roles
from caffe_lrcn.tasks.toy_roles.dataset import Extent, write_dataset
from caffe_lrcn.tasks.toy_roles.scenes import SLOTS

FOLDER = Path(__file__).parents[2] / "prototxt" / "description" / "small"


def test_outputs_are_the_slots_of_the_generated_clips():
    for name in ("roles.prototxt", "roles.deploy.prototxt"):
        sizes = {layer.param.name: layer.param.inner_product_param.num_output
                 for layer in read_net(FOLDER / name).layers
                 if layer.param.name.endswith("_scores")}
        assert sizes == {f"{slot.name}_scores": len(slot.labels) for slot in SLOTS}


def test_trains_tests_and_deploys(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_dataset("data/toy-roles", Extent(groups=3, clips=4), 1, None)
    assert main(["train", "--solver", str(FOLDER / "roles_solver.prototxt"), "--workers", "0",
                 "--set", "max_iter=2", "--set", "test_iter=1", "--set", "test_interval=2"]) == 0
    weights = "out/roles_iter_2.caffemodel"
    assert main(["data", "roles", "data/toy-roles/train.json", "--net",
                 str(FOLDER / "roles.deploy.prototxt"), "--weights", weights, "--cpu",
                 "--save-features", "f.npy"]) == 0
    features = np.load("f.npy")
    assert features.shape == (4, read_roles("data/toy-roles/train.json").states)
    assert np.isfinite(features).all()
