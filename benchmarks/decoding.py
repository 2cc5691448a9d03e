"""Time beam search over a batch of pictures against the same algorithm in PyTorch.

Needs PyTorch beside this package:  pip install torch;  python benchmarks/decoding.py
The paper's size: two-layer factored LSTM, 1000 units, 8801 words, beam 5, 12 words a caption, 100
pictures in one batch. `<EOS>` is made improbable, so that no beam ends early. Both libraries take
turns within each round; the table holds medians.
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
NET = """
layer {{ name: "in" type: "Input" top: "cont_sentence" top: "input_sentence"
  input_param {{ shape {{ dim: 1 dim: 1 }} }} }}
layer {{ name: "image" type: "Input" top: "image_features"
  input_param {{ shape {{ dim: 1 dim: {units} }} }} }}
layer {{ name: "embedding" type: "Embed" bottom: "input_sentence" top: "embedded" embed_param {{
  bias_term: false input_dim: {words} num_output: {units} {fill} }} }}
layer {{ name: "lstm1" type: "LSTM" bottom: "embedded" bottom: "cont_sentence" top: "lstm1"
  recurrent_param {{ num_output: {units} {fill} }} }}
layer {{ name: "lstm2" type: "LSTM" bottom: "lstm1" bottom: "cont_sentence"
  bottom: "image_features" top: "lstm2" recurrent_param {{ num_output: {units} {fill} }} }}
layer {{ name: "predict" type: "InnerProduct" bottom: "lstm2" top: "predict"
  inner_product_param {{ axis: 2 num_output: {words} {fill} }} }}
layer {{ name: "probs" type: "Softmax" bottom: "predict" top: "probs"
  softmax_param {{ axis: 2 }} }}
"""
Words = list[list[list[int]]]
Run = Callable[[], Words]


def our_decoder(size: dict[str, int], threads: int) -> Any:
    """Return a decoder with random weights that never ends a caption."""
    from caffe_lrcn.backends import get_backend
    from caffe_lrcn.backends.cpu.threads import set_threads
    from caffe_lrcn.language.decoder import Decoder
    from caffe_lrcn.net.net import Net
    from caffe_lrcn.proto.text import parse_net
    set_threads(threads)
    fill = 'weight_filler { type: "uniform" min: -0.08 max: 0.08 }'
    text = NET.format(fill=fill, **size)
    net = Net(parse_net(text), get_backend("cpu", np.float32), phase=1)
    net.params["predict"][1].data[0] = NO_END
    with tempfile.TemporaryDirectory() as folder:
        definition, weights = Path(folder) / "net.prototxt", Path(folder) / "net.caffemodel"
        definition.write_text(text)
        net.save(str(weights))
        return Decoder(definition, weights)


def our_run(decoder: Any, features: np.ndarray, size: dict[str, int]) -> Run:
    """Return beam search in this package."""
    def run() -> Words:
        found = decoder.beam(features, size["beams"], size["length"])
        return [[hypothesis.words for hypothesis in row] for row in found]
    return run


def torch_run(decoder: Any, features: np.ndarray, size: dict[str, int], threads: int) -> Run:
    """Return the same search in PyTorch, with the decoder's weights; beams never end here."""
    import torch
    from torch import nn
    torch.set_num_threads(threads)
    units, width = size["units"], size["beams"]
    params = {name: [torch.from_numpy(blob.host_data.copy()) for blob in blobs]
              for name, blobs in decoder.step_net.net.params.items()}
    cells = [nn.LSTMCell(units, units), nn.LSTMCell(2 * units, units)]
    order = torch.cat([torch.arange(units), units + torch.arange(units),
                       3 * units + torch.arange(units), 2 * units + torch.arange(units)])
    with torch.no_grad():
        for cell, blobs in zip(cells, (params["lstm1"], params["lstm2"]), strict=True):
            w_x = blobs[0] if len(blobs) == 3 else torch.cat([blobs[0], blobs[2]], 1)
            for target, source in ((cell.weight_ih, w_x), (cell.weight_hh, blobs[-1]),
                                   (cell.bias_ih, blobs[1])):
                target.copy_(source[order])  # PyTorch's gates are i, f, g, o
            cell.bias_hh.zero_()
    (embedding,), (weight, bias) = params["embedding"], params["predict"]
    pictures = torch.from_numpy(features)

    def step(tokens: Any, image: Any, state: list[Any]) -> tuple[Any, list[Any]]:
        first = cells[0](embedding[tokens], state[0])
        second = cells[1](torch.cat([first[0], image], 1), state[1])
        return nn.functional.linear(second[0], weight, bias), [first, second]

    @torch.inference_mode()
    def run() -> Words:
        count = len(pictures)
        zero = torch.zeros(count, units)
        tokens, image, state = torch.zeros(count, dtype=torch.long), pictures, [(zero, zero)] * 2
        total, history = torch.zeros(count, 1), torch.zeros(count, 1, 0, dtype=torch.long)
        for _ in range(size["length"]):
            logits, state = step(tokens, image, state)
            values, ids = logits.topk(width, 1)
            values = values - logits.logsumexp(1, keepdim=True)
            beams = total.shape[1]
            candidates = (total[:, :, None] + values.view(count, beams, width)).view(count, -1)
            total, best = candidates.topk(width, 1)
            parent = torch.div(best, width, rounding_mode="floor")
            tokens = ids.view(count, -1).gather(1, best)
            history = torch.cat([history[torch.arange(count)[:, None], parent],
                                 tokens[:, :, None]], 2)
            rows = (parent + beams * torch.arange(count)[:, None]).view(-1)
            state = [(h[rows], c[rows]) for h, c in state]
            tokens, image = tokens.view(-1), image[rows]
        return history.tolist()

    return run


def agreement(ours: Words, theirs: Words) -> float:
    """Return the share of pictures with the same best caption (rounding may change a few)."""
    return float(np.mean([a[0] == b[0] for a, b in zip(ours, theirs, strict=True)]))


def table(rows: list[tuple[str, float, float]]) -> str:
    """Return the measurements as a Markdown table."""
    lines = ["| pictures in a batch | s a picture | PyTorch, s a picture | PyTorch = 1 |",
             "|---|---:|---:|---:|"]
    lines += [f"| {name} | {ours:.4f} | {theirs:.4f} | {ours / theirs:.2f} |"
              for name, ours, theirs in rows]
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table and write it to a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, nargs="+", default=[1, 100])
    parser.add_argument("--beams", type=int, default=5)
    parser.add_argument("--length", type=int, default=12)
    parser.add_argument("--units", type=int, default=1000)
    parser.add_argument("--words", type=int, default=8801)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=FOLDER / "results" / "decoding.md")
    args = parser.parse_args()
    size = {name: getattr(args, name) for name in ("beams", "length", "units", "words")}
    decoder, rows, same = our_decoder(size, args.threads), [], []
    for count in args.pictures:
        features = np.random.default_rng(0).standard_normal((count, args.units), np.float32)
        runs = our_run(decoder, features, size), torch_run(decoder, features, size, args.threads)
        same.append(agreement(*(run() for run in runs)))  # this warms up, too
        times = [[seconds(run) for run in runs] for _ in range(args.rounds)]
        ours, theirs = (statistics.median(series) / count for series in zip(*times, strict=True))
        rows.append((str(count), ours, theirs))
    import torch
    numbers = ", ".join(f"{name} {value}" for name, value in size.items())
    text = (f"# Beam search (two-layer factored LSTM), float32\n\n{numbers}\n\n"
            f"{datetime.date.today()}; {machine()}, {args.threads} threads; "
            f"PyTorch {torch.__version__}, NumPy {np.__version__}; medians of {args.rounds} rounds "
            f"that take turns; load average at the end {os.getloadavg()[0]:.1f}; the same best "
            f"caption for {min(same):.0%} of the pictures.\n"
            f"Written by `python benchmarks/decoding.py`.\n\n{table(rows)}\n")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
