"""A few clips with two or three slots and sentences about them."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from caffe_lrcn.backends import Backend
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import NetDef, parse_net, read_net
from caffe_lrcn.tasks.captioning.prepare import Recipe
from caffe_lrcn.tasks.description.role_streams import write_role_streams
from caffe_lrcn.tasks.description.roles import Roles, Slot
from caffe_lrcn.tasks.description.sized_nets import NETS, sized, write_nets

SLOTS = (Slot("activity", ("none", "cut", "wash")), Slot("object", ("carrot", "pan")),
         Slot("place", ("sink", "board", "none")))
#: T' of the streams, sentences side by side, units of each layer.
STEPS, STREAMS, UNITS = 7, 4, 6


def make_roles(count: int = 6, slots: tuple[Slot, ...] = SLOTS, seed: int = 0) -> Roles:
    """Return clips with one or two sentences of 3 to 6 words."""
    random = np.random.default_rng(seed)
    labels = np.stack([random.integers(len(slot.labels), size=count) for slot in slots], axis=1)
    blocks = []
    for k, slot in enumerate(slots):
        block = random.random((count, len(slot.labels)))
        block[np.arange(count), labels[:, k]] += 1
        blocks.append(block / block.sum(axis=1, keepdims=True))
    words = [[slot.labels[label] for slot, label in zip(slots, row, strict=True)]
             for row in labels]
    sentences = [[f"They {' '.join(row)}." if i % 2 else f"Do {row[0]} the {row[-1]}!",
                  *(["Somebody in a kitchen."] if i % 3 == 0 else [])]
                 for i, row in enumerate(words)]
    return Roles("roles.json", slots, [f"clip{i}" for i in range(count)], [None] * count, labels,
                 np.concatenate(blocks, axis=1), sentences)


def write_data(folder: Path, roles: Roles, steps: int = STEPS) -> Path:
    """Write streams and nets of a few units; return the folder of the streams."""
    recipe = Recipe(folder, STREAMS, steps, force=True)
    vocabulary, counts = write_role_streams(recipe, {"train": roles}, lambda line: None,
                                            min_count=1)
    write_nets(recipe, "small", roles.slots, vocabulary, counts)
    for name in NETS:
        path = folder / name
        text = sized(path.read_text(), {"units": UNITS})
        # Values this large make everything matter.
        path.write_text(text.replace('"xavier"', '"uniform" min: -1 max: 1'))
    return recipe.folder("train")


def fed(path: Path, arrays: dict[str, np.ndarray]) -> NetDef:
    """Return a training net whose data layers are inputs of the shapes of some arrays."""
    definition = read_net(path)
    inputs = "".join(f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ '
                     f'{" ".join(f"dim: {size}" for size in array.shape)} }} }} }}\n'
                     for name, array in arrays.items())
    definition.layers = parse_net(inputs).layers + [
        layer for layer in definition.layers if layer.param.type != "HDF5Data"]
    return definition


def loss_of(net: Net, arrays: dict[str, np.ndarray]) -> float:
    """Return the loss of a batch."""
    for name, array in arrays.items():
        net.blobs[name].host_data[...] = array
    return float(net.forward())


def training_net(folder: Path, file: str, arrays: dict[str, np.ndarray], backend: Backend) -> Net:
    """Return a training net of a data set, with random weights, fed by hand."""
    net = Net(fed(folder / file, arrays), backend, phase=0, seed=5)
    for name in ("lstm1", "lstm2", "encoder", "predict"):
        for blob in net.params.get(name, ()):
            if len(blob.shape) == 1:
                blob.host_data[...] = np.linspace(-1, 1, blob.count)
    return net
