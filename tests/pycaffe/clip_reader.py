"""A reader of clips as LRCN users wrote them: a pool of processes, a thread that fetches ahead.

``param_str``: a Python dict with ``root``, ``clips`` and ``frames``; a video is a
folder below ``root``, whose name ends in its class.
"""
import ast
import os
import random
from multiprocessing import Pool
from threading import Thread

import caffe_lrcn as caffe

SIDE, POOL = 8, 3


def load_frame(task):
    """Return a frame as (3, SIDE, SIDE); a process of the pool runs this."""
    path, crop, flip = task
    image = caffe.io.load_image(path)[crop[0]:crop[0] + SIDE, crop[1]:crop[1] + SIDE]
    return (image[:, ::-1] if flip else image).transpose(2, 0, 1)[::-1] * 255.0 - 128.0


class ClipSequence:
    """Says which frames come, in the order of time: frame t of all clips, then frame t + 1."""

    def __init__(self, root, clips, frames):
        self.clips, self.frames, self.next_video = clips, frames, 0
        self.videos = [(os.path.join(root, name), int(name[-1]))
                       for name in sorted(os.listdir(root))]

    def __call__(self):
        tasks, labels = [], []
        for _ in range(self.clips):
            folder, label = self.videos[self.next_video]
            self.next_video = (self.next_video + 1) % len(self.videos)
            names = sorted(name for name in os.listdir(folder) if name.endswith(".png"))
            crop = random.randint(0, 2), random.randint(0, 4)
            flip, start = random.randint(0, 1), random.randint(0, len(names) - self.frames)
            tasks.append([(os.path.join(folder, name), crop, flip)
                          for name in names[start:start + self.frames]])
            labels.append(label)
        return [clip[t] for t in range(self.frames) for clip in tasks], labels * self.frames


class ClipReader(caffe.Layer):
    """tops: data (T*N, 3, SIDE, SIDE), label (T*N,), clip_markers (T*N,)."""

    def setup(self, bottom, top):
        random.seed(10)
        settings = ast.literal_eval(self.param_str)
        self.sequence = ClipSequence(**settings)
        self.N, self.T = settings["clips"], settings["frames"]
        self.pool, self.thread, self.result, self.failure = Pool(POOL), None, None, None
        top[0].reshape(self.N * self.T, 3, SIDE, SIDE)
        top[1].reshape(self.N * self.T)
        top[2].reshape(self.N * self.T)
        self.start()
        self.thread.join()

    def reshape(self, bottom, top):
        pass

    def forward(self, bottom, top):
        self.thread.join()
        if self.failure:
            raise self.failure
        data, label = self.result
        for index in range(self.N * self.T):
            top[0].data[index, ...] = data[index]
            top[1].data[index, ...] = label[index]
            top[2].data[index, ...] = index >= self.N
        self.start()

    def backward(self, top, propagate_down, bottom):
        pass

    def start(self):
        """Fetch the next batch in a thread."""
        self.before = random.getstate(), self.sequence.next_video
        self.thread = Thread(target=self.fetch)
        self.thread.start()

    def fetch(self):
        try:
            tasks, labels = self.sequence()
            self.result = self.pool.map(load_frame, tasks), labels
        except Exception as error:
            self.failure = error


class ResumableClipReader(ClipReader):
    """The same with what an exact resume needs: the batch fetched ahead is fetched again."""

    def state(self):
        self.thread.join()
        (version, numbers, rest), video = self.before
        return {"numbers": list(numbers), "video": video, "version": version}

    def restore(self, state):
        self.thread.join()
        random.setstate((state["version"], tuple(map(int, state["numbers"])), None))
        self.sequence.next_video = state["video"]
        self.start()
