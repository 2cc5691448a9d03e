"""An LRCN whose clips come from a reader in Python, which fetches the next batch ahead."""
from __future__ import annotations

import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image
from shapes import SIZE, draw

import caffe_lrcn as caffe

WAYS = ("left", "right", "up", "down")
CLIPS, FRAMES = 16, 6

NET = """
layer {{ name: "clips" type: "Python" top: "data" top: "label" top: "clip_markers"
  python_param {{ module: "clip_reader" layer: "ClipReader" param_str: '{settings}' }} }}
layer {{ name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param {{ num_output: 8 kernel_size: 5 stride: 2
    weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "relu" type: "ReLU" bottom: "conv" top: "conv" }}
layer {{ name: "fc" type: "InnerProduct" bottom: "conv" top: "fc"
  inner_product_param {{ num_output: 24 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "steps" type: "Reshape" bottom: "fc" bottom: "clip_markers" top: "steps"
  reshape_param {{ num_axes: 1 }} }}
layer {{ name: "lstm" type: "LSTM" bottom: "steps" bottom: "clip_markers" top: "lstm"
  recurrent_param {{ num_output: 24 weight_filler {{ type: "uniform" min: -0.1 max: 0.1 }} }} }}
layer {{ name: "predict" type: "InnerProduct" bottom: "lstm" top: "predict"
  inner_product_param {{ num_output: 4 axis: 2 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "predict" bottom: "label" top: "loss"
  softmax_param {{ axis: 2 }} }}
"""


class ClipReader(caffe.Layer):
    """Reads clips of videos, folders of frames, and fetches the next batch while the net works.

    ``param_str``: JSON with ``root`` (a folder of videos, whose names end in ``_<class>``),
    ``clips`` (N), ``frames`` (T) and ``seed``. tops: data (T*N, 1, H, W), frame t of clip n in row
    ``t * N + n``; label (T, N); clip_markers (T, N), 0 at the first frame of a clip.
    """

    def setup(self, bottom, top):
        given = json.loads(self.param_str)
        self.clips, self.frames = given["clips"], given["frames"]
        self.videos = sorted(entry.path for entry in os.scandir(given["root"]))
        self.rng = np.random.default_rng(given["seed"])
        self.readers, self.fetcher = ThreadPoolExecutor(4), ThreadPoolExecutor(1)
        top[0].reshape(self.clips * self.frames, 1, SIZE, SIZE)
        for one in top[1:]:
            one.reshape(self.frames, self.clips)
        self.fetch()

    def reshape(self, bottom, top):
        pass  # the size of a batch never changes

    def forward(self, bottom, top):
        pictures, labels = self.next.result()  # raises what went wrong in the threads
        top[0].data[...] = pictures
        top[1].data[...] = labels  # of each clip, at all of its frames
        top[2].data[...] = 1
        top[2].data[0] = 0
        self.fetch()

    def backward(self, top, propagate_down, bottom):
        pass  # data have no bottoms

    def fetch(self):
        """Draw clips, and let the threads read them."""
        self.before = self.rng.bit_generator.state
        chosen = self.rng.choice(len(self.videos), self.clips)
        paths = []
        for video in chosen:
            names = sorted(os.listdir(self.videos[video]))
            start = self.rng.integers(len(names) - self.frames + 1)
            paths.append([os.path.join(self.videos[video], name)
                          for name in names[start:start + self.frames]])
        labels = [int(self.videos[video].rpartition("_")[2]) for video in chosen]
        self.next = self.fetcher.submit(self.read, paths, labels)

    def read(self, paths, labels):
        """Return the frames of clips, time first, and their labels."""
        in_order = [clip[step] for step in range(self.frames) for clip in paths]
        return np.stack(list(self.readers.map(read_frame, in_order))), labels

    # With these two a training run that is interrupted goes on with the same clips. What was
    # fetched ahead is fetched again, so the state is the one from before that.

    def state(self):
        return self.before

    def restore(self, state):
        self.next.exception()  # waits
        self.rng.bit_generator.state = state
        self.fetch()


def read_frame(path: str) -> np.ndarray:
    """Return a frame as (1, H, W), from -0.5 to 0.5."""
    return np.asarray(Image.open(path), np.float32)[None] / 255 - 0.5


def write_videos(root: str, count: int, seed: int) -> None:
    """Write videos of a shape that moves one way, as folders of frames."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        way = number % len(WAYS)
        folder = os.path.join(root, f"v{number:03}_{way}")
        os.makedirs(folder)
        picture = draw(int(rng.integers(3)), rng)
        step = int(rng.integers(1, 3)) * (1 if way % 2 else -1)
        for frame in range(FRAMES + 4):
            moved = np.roll(picture, frame * step, axis=1 if way < 2 else 0)
            Image.fromarray((255 * moved).astype(np.uint8)).save(
                os.path.join(folder, f"frame.{frame:04}.png"))


def accuracy(net: caffe.Net, batches: int) -> float:
    """Return how often the class is right at the last frame of a clip."""
    right = []
    for _ in range(batches):
        net.forward()
        right.append(net.blobs["predict"].data[-1].argmax(1) == net.blobs["label"].data[-1])
    return float(np.mean(right))


def main() -> float:
    """Train and return the accuracy on videos that were not learnt from."""
    caffe.set_mode_cpu()
    with tempfile.TemporaryDirectory() as folder:
        for name, count, seed in (("train", 120, 1), ("test", 40, 2)):
            write_videos(os.path.join(folder, name), count, seed)
            with open(os.path.join(folder, f"{name}.prototxt"), "w") as file:
                file.write(NET.format(settings=json.dumps({
                    "root": os.path.join(folder, name), "clips": CLIPS, "frames": FRAMES,
                    "seed": seed})))
        path = os.path.join(folder, "solver.prototxt")
        with open(path, "w") as file:
            file.write(f'train_net: "{folder}/train.prototxt" test_net: "{folder}/test.prototxt" '
                       'test_iter: 1 test_interval: 10000 base_lr: 0.002 type: "Adam" '
                       'lr_policy: "fixed" momentum: 0.9 momentum2: 0.999 random_seed: 1')
        solver = caffe.get_solver(path)
        for iterations in (0, 60, 60, 60):
            solver.step(iterations)
            result = accuracy(solver.test_nets[0], 5)
            print(f"iteration {solver.iter:3}: {result:.0%} of {', '.join(WAYS)} are right")
    return result


if __name__ == "__main__":
    main()
