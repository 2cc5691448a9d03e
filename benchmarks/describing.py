"""Time descriptions of many clips at once against one forward pass a step and clip.

    python benchmarks/describing.py

Architectures (a) and (c) of Figure 5 as prototxt/description has them (LSTMs of 1000 units, 300
labels, 2000 words), and its folder small (128, 40, 200); 4 slots, 12 words a sentence, greedy.
`<EOS>` is made improbable, so that no sentence ends early. The other side runs the same net for one
clip after the other, word by word, with the state carried along, as a script over a deploy net
does. Both take turns within each round; the table holds medians.
"""
from __future__ import annotations

import argparse
import datetime
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import numpy as np  # noqa: E402  (the environment comes first)
from common import machine, seconds  # noqa: E402

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

NO_END = -100.0
SLOTS = 4
#: size -> folder below prototxt, and its number of labels.
SIZES = {"paper": ("description", 300), "small": ("description/small", 40)}
Words = list[list[int]]


def make_roles(clips: int, states: int) -> Any:
    """Return random roles of some clips."""
    from caffe_lrcn.tasks.description.roles import Roles, Slot
    random = np.random.default_rng(0)
    each = states // SLOTS
    slots = tuple(Slot(f"slot{k}", tuple(map(str, range(each)))) for k in range(SLOTS))
    blocks = random.dirichlet(np.ones(each), (clips, SLOTS))
    return Roles("random", slots, list(map(str, range(clips))), [None] * clips,
                 blocks.argmax(axis=2), blocks.reshape(clips, -1), [[] for _ in range(clips)])


def make_decoder(folder: str, architecture: str, threads: int) -> Any:
    """Return a decoder with random weights that never ends a sentence."""
    from caffe_lrcn.backends import get_backend
    from caffe_lrcn.backends.cpu.threads import set_threads
    from caffe_lrcn.language.decoder import Decoder
    from caffe_lrcn.net.net import Net
    from caffe_lrcn.proto.text import read_net
    from caffe_lrcn.tasks.description.describe import DEPLOY
    set_threads(threads)
    definition = FOLDER.parent / "prototxt" / folder / DEPLOY[architecture]
    net = Net(read_net(definition), get_backend("cpu"), phase=1)
    random = np.random.default_rng(1)
    for blobs in net.params.values():
        for blob in blobs:
            blob.host_data[...] = random.uniform(-0.08, 0.08, blob.shape)
    net.params["predict"][1].host_data[0] = NO_END
    with tempfile.TemporaryDirectory() as temporary:
        weights = Path(temporary) / "net.caffemodel"
        net.save(str(weights))
        return Decoder(definition, weights)


def one_by_one(net: Any, context: Any, length: int) -> Words:
    """Return greedy sentences, one forward pass a step and clip."""
    found = []
    for clip in range(len(context)):
        steps = [{name: arrays[clip][step] for name, arrays in context.read.items()}
                 for step in range(context.steps()[clip])]
        held = {name: values[clip] for name, values in context.held.items()}
        first = {name: values[clip] for name, values in context.first.items()}
        words, word, cont = [], 0, 0
        for values in [*steps, first, *[{}] * (length - 1)]:
            inputs = {"cont_sentence": cont, "input_sentence": word, **held, **values}
            for name, value in inputs.items():
                blob = net.blobs[name]
                blob.reshape(1, *blob.shape[1:]) if name == "roles" else blob.reshape(1, 1)
                blob.host_data[...] = value
            net.forward()
            cont = 1
            if values in steps:
                continue
            word = int(net.blobs["probs"].host_data[0, 0].argmax())
            words.append(word)
        found.append(words)
    return found


def measure(size: str, architecture: str, clips: int, few: int, length: int, rounds: int,
            threads: int) -> tuple[float, float, bool]:
    """Return seconds a clip, all at once and one by one, and whether a few sentences agree."""
    from caffe_lrcn.tasks.description.describe import role_context
    folder, states = SIZES[size]
    decoder = make_decoder(folder, architecture, threads)
    other = make_decoder(folder, architecture, threads).step_net.net
    context = role_context(decoder.step_net, make_roles(clips, states), architecture, "")
    some = context.rows(slice(0, few))

    def at_once() -> Words:
        return [found[0].words for found in decoder.greedy(context, length)]

    def in_turn() -> Words:
        return one_by_one(other, some, length)

    same = at_once()[:few] == in_turn()  # this warms up, too
    runs: tuple[tuple[Callable[[], Words], int], ...] = ((at_once, clips), (in_turn, few))
    times = [[seconds(run) / count for run, count in runs] for _ in range(rounds)]
    ours, theirs = (statistics.median(series) for series in zip(*times, strict=True))
    return ours, theirs, same


def main() -> None:
    """Measure, print the table and write it to a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=500)
    parser.add_argument("--few", type=int, default=10, help="clips that are run one by one")
    parser.add_argument("--length", type=int, default=12)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=FOLDER / "results" / "describing.md")
    args = parser.parse_args()
    lines = ["| architecture | clips a second, at once | one by one | times |",
             "|---|---:|---:|---:|"]
    for size, architecture in ((size, architecture) for size in SIZES for architecture in "ac"):
        ours, theirs, same = measure(size, architecture, args.clips, args.few, args.length,
                                     args.rounds, args.threads)
        assert same, "the sentences differ"
        lines.append(f"| ({architecture}), {size} | {1 / ours:.0f} | {1 / theirs:.1f} | "
                     f"{theirs / ours:.1f} |")
    table = "\n".join(lines)
    text = (f"# Descriptions of clips (Figure 5 of the paper), float32, greedy\n\n"
            f"{args.clips} clips in one batch, {args.length} words a sentence, {SLOTS} slots; "
            "sizes of prototxt/description\n\n"
            f"{datetime.date.today()}; {machine()}, {args.threads} threads; "
            f"NumPy {np.__version__}; medians of {args.rounds} rounds that take turns; load "
            f"average at the end {os.getloadavg()[0]:.1f}; the same sentences on both sides.\n"
            f"Written by `python benchmarks/describing.py`.\n\n{table}\n")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
