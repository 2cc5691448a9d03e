"""From roles to scores by the commands alone: streams, training, sentences."""
import json
from dataclasses import replace

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.cli.main import main
from caffe_lrcn.language.caption_tokens import tokenize
from caffe_lrcn.language.vocabulary import Vocabulary
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import read_net
from caffe_lrcn.tasks.description.describe import DEPLOY
from caffe_lrcn.tasks.description.roles import write_roles
from caffe_lrcn.tasks.description.sized_nets import NETS, sized

from .small_data import SLOTS, STEPS, STREAMS, make_roles, write_data

SOLVERS = {"a": "encoder_decoder", "b": "decoder_max", "c": "decoder_prob"}


def test_vectors_and_sentences_keep_step(tmp_path):
    roles = make_roles(14)
    folder = write_data(tmp_path, roles)
    clips = (folder / "clips.txt").read_text().split()
    vocabulary = Vocabulary.read(tmp_path / "vocabulary.txt")
    known = {name: [[*vocabulary.ids(tokenize(text)), 0] for text in texts]
             for name, texts in zip(roles.ids, roles.sentences, strict=True)}
    net = Net(read_net(tmp_path / "decoder.prototxt"), get_backend("cpu"), phase=caffe_pb2.TRAIN,
              stages=("prob",))
    for batch in range(2 * len(clips) // STREAMS + 1):  # twice round, and on
        net.forward()
        for stream in range(STREAMS):
            clip = clips[(STREAMS * batch + stream) % len(clips)]
            row = net.blobs["roles"].host_data[stream]
            assert (row == roles.marginals()[roles.ids.index(clip)]).all()
            targets = net.blobs["target_sentence"].host_data[:, stream].astype(int)
            assert len(targets) == STEPS
            assert [int(word) for word in targets if word >= 0] in known[clip]


@pytest.mark.parametrize("architecture", "abc")
def test_what_is_learnt_by_heart_is_said(tmp_path, monkeypatch, capsys, architecture):
    monkeypatch.chdir(tmp_path)
    roles = make_roles(8, SLOTS[:2], seed=4)
    chosen = np.unique(roles.labels, axis=0, return_index=True)[1]
    roles = roles.select(np.sort(chosen))
    sentences = [[f"They {' '.join(roles.names(i))}."] for i in range(len(roles.ids))]
    roles = replace(roles, sentences=sentences)
    write_roles("roles.json", roles)
    assert main(["data", "role-streams", "--train", "roles.json", "--out", "data", "--size",
                 "small", "--streams", "4", "--timesteps", "6", "--min-count", "1"]) == 0
    for name in NETS:
        path = tmp_path / "data" / name
        path.write_text(sized(path.read_text(), {"units": 24}))
    prefix = SOLVERS[architecture]
    assert main(["train", "--cpu", "--solver", f"data/{prefix}_solver.prototxt", "--set",
                 "max_iter=150", "--set", "snapshot_prefix=w", "--set", "base_lr=0.1"]) == 0
    capsys.readouterr()
    words = ["describe", "--cpu", "--roles", "roles.json", "--data", "data", "--weights",
             "w_iter_150.caffemodel", "--architecture", architecture]
    assert main([*words, "--json", "said.json"]) == 0
    said = [line.split(": ")[1] for line in capsys.readouterr().out.splitlines()]
    right = sum(text == texts[0] for text, texts in zip(said, sentences, strict=True))
    assert right >= len(sentences) - 1, said
    assert [entry["caption"] for entry in json.loads((tmp_path / "said.json").read_text())] == said
    # The weights know their vocabulary.
    other = Vocabulary.read("data/vocabulary.txt").words[:1:-1]
    Vocabulary(other).write("other.txt")
    again = [*words, "--vocabulary", "other.txt", "--slots", "data/slots.json"]
    assert main(again) == 1
    assert "were trained with another vocabulary" in capsys.readouterr().err
    assert main([*again, "--other-vocabulary"]) == 0
    assert (tmp_path / "data" / DEPLOY[architecture]).exists()
