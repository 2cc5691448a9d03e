"""Clips as VideoData would read them, in HDF5 files that HDF5Data reads.

Batches of N clips of T frames follow each other, time first:

- ``data``: (T * N, C, H, W) uint8 a batch; row ``t * N + n`` is frame t of clip n, its crop, BGR,
  without mean or scale;
- ``label``: (T, N) int32 a batch, the video's class at each of its frames;
- ``clip_markers``: (T, N) uint8 a batch, 0 at the first frame of a clip and 1 after it.

HDF5Data with a ``batch_size`` of T * N for ``data``, and one with T for the others, feed what
VideoData feeds.
"""
from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ...backends import get_backend
from ...errors import DataError
from ...files import new_file, remove_leftovers, replacing, writing
from ...hdf5_files import new_hdf5
from ...layer_types.base import LayerContext
from ...layer_types.video_data import VideoData
from ...memory import amount, check_room
from ...proto.caffe_pb2 import LayerParameter, VideoDataParameter
from ...proto.places import Place
from ...sources.base import Shape
from ...sources.batcher import BatchSpec
from ...sources.prefetch import Prefetcher
from ...sources.records.clips import ClipRecords
from ..progress import Progress

#: The list of the files, for HDF5Data, written last; and what the files were made of.
LIST, ABOUT = "clips.txt", "clips.json"
#: Datasets and their types, in the order of VideoData's tops.
DATASETS = (("data", "uint8"), ("label", "int32"), ("clip_markers", "uint8"))
_FILE_BYTES = 256 << 20  # of a file's pictures, unless one batch has more
_AHEAD = 2  # batches prepared while one is written


@dataclass(frozen=True)
class ClipRecipe:
    """Which clips are written: fields of VideoData and its ``transform_param``, by their names.

    Args:
        phase: TRAIN (0) draws starts and crops, TEST (1) takes those in the middle.
        epochs: how often each video gives a clip; the last batch is filled up from the list's
            start.
        seed: of the draws; a net with this ``random_seed`` draws the same in its layer ``data``.
    """

    source: str
    root_folder: str = ""
    batch_size: int = 24
    clip_length: int = 16
    frame_stride: int = 1
    flow: bool = False
    shuffle: bool = False
    crop_size: int = 0
    mirror: bool = False
    size: tuple[int, int] | None = None
    rate: float | None = None
    phase: int = 0
    epochs: int = 1
    seed: int = 1

    def spec(self) -> BatchSpec:
        """Look at all videos, and return what to read.

        Raises:
            DataError: as VideoData.
        """
        param = LayerParameter(name="data", type="VideoData", top=[name for name, _ in DATASETS])
        given = param.video_data_param
        for field in ("source", "root_folder", "batch_size", "clip_length", "frame_stride",
                      "shuffle"):
            setattr(given, field, getattr(self, field))
        given.modality = VideoDataParameter.FLOW if self.flow else VideoDataParameter.RGB
        given.new_height, given.new_width = self.size or (0, 0)
        given.rate = self.rate or 0
        param.transform_param.crop_size = self.crop_size
        param.transform_param.mirror = self.mirror
        context = LayerContext(get_backend("cpu"), self.phase, self.seed, Place.nowhere("--clips"))
        return VideoData(param, context).make_spec()


@dataclass(frozen=True)
class Written:
    """What was written, and what was there: numbers of files, and of all batches."""

    made: int
    kept: int
    batches: int


def write_clips(recipe: ClipRecipe, out: Path, *, force: bool = False, workers: int = 0,
                report: Callable[[str], None] = lambda line: None) -> Written:
    """Write clips to ``out``; files that an interrupted run has finished stay.

    Args:
        recipe: which clips.
        out: the folder.
        force: replace clips of another recipe, or of videos that have changed.
        workers: processes that read videos; 0 for a thread.
        report: takes lines of progress.

    Raises:
        DataError: a video is missing or damaged; ``out`` has other clips; there is too little room.
    """
    spec = recipe.spec()
    records: Any = spec.reader()
    shapes = _shapes(spec)
    batches = -(-recipe.epochs * len(records.listed.videos) // recipe.batch_size)
    most = max(1, _FILE_BYTES // prod(shapes[0]))  # batches in a file
    names = [out / f"clips_{number + 1:04d}.h5" for number in range(-(-batches // most))]
    _prepare(out, recipe, records, force)
    counts = {number: min(most, batches - number * most) for number, name in enumerate(names)
              if not name.exists()}
    _check_disk(out, sum(counts.values()) * sum(
        prod(shape) * np.dtype(dtype).itemsize
        for (_, dtype), shape in zip(DATASETS, shapes, strict=True)))
    progress = Progress(sum(counts.values()), "batches", report)
    with closing(Prefetcher(spec, {}, shapes=shapes, depth=_AHEAD, workers=workers)) as ahead:
        for number, count in counts.items():
            cursor = spec.order.after(spec.start_cursor(), number * most * recipe.batch_size)
            if ahead.cursor != cursor:
                ahead.close()
                ahead.cursor = cursor
            _write(names[number], spec, shapes, count, ahead, progress)
    with new_file(out / LIST, DataError, "the list of clips") as file:
        file.writelines(f"{name}\n" for name in names)
    return Written(len(counts), len(names) - len(counts), batches)


def _shapes(spec: BatchSpec) -> list[Shape]:
    """Return the shapes of a batch's arrays, which fit in the memory."""
    with closing(spec.open()) as source:
        shapes = source.shapes()
    # Those ahead, the one in the making and the one in use are of float32.
    check_room(prod(shapes[0]) * (4 * (_AHEAD + 2) + 1), DataError, "a batch of clips",
               remedy="Write smaller batches, or shorter or smaller clips")
    return shapes


def _prepare(out: Path, recipe: ClipRecipe, records: ClipRecords, force: bool) -> None:
    """Make the folder, and see that what is there was made in the same way."""
    made = json.loads(json.dumps({**asdict(recipe), "videos": _digest(records)}))
    del made["source"], made["root_folder"]  # what counts is which videos are there
    about, there = out / ABOUT, sorted(out.glob("clips_*.h5"))
    with writing(out, DataError, "the clips"):
        out.mkdir(parents=True, exist_ok=True)
        remove_leftovers(str(out / "clips"))
        found = _read(about)
        if found == made:
            return
        if (there or found) and not force:
            differs = [key for key in made if key not in found or found[key] != made[key]]
            raise DataError("the folder has other clips", where=out,
                            got={key: found.get(key) for key in differs},
                            wanted={key: made[key] for key in differs},
                            remedy="Write to another folder, or replace them with --force.")
        for path in (out / LIST, *there):
            path.unlink(missing_ok=True)
    with new_file(about, DataError, "the description of the clips") as file:
        json.dump(made, file, indent=1)


def _read(about: Path) -> dict[str, Any]:
    """Return what a folder's clips were made of; empty if it does not say."""
    try:
        found = json.loads(about.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _digest(records: ClipRecords) -> str:
    """Return what changes with the videos and their labels, hexadecimal."""
    listed = records.listed
    seen = [(name, video.stamp, int(label)) for name, video, label
            in zip(listed.listed.names, listed.videos, listed.listed.labels, strict=True)]
    return hashlib.sha256(repr(seen).encode()).hexdigest()


def _check_disk(out: Path, size: int) -> None:
    free = shutil.disk_usage(out).free
    if size > free:
        raise DataError("the clips do not fit on the disk", where=out, got=amount(size),
                        wanted=f"at most {amount(free)}, which are free",
                        remedy="Write fewer epochs, or smaller pictures (--size, --crop-size)")


def _write(path: Path, spec: BatchSpec, shapes: list[Shape], count: int, ahead: Prefetcher,
           progress: Progress) -> None:
    """Write the next batches to a file, which appears when it is whole."""
    shapes = [shapes[0], *[(spec.group, spec.batch_size)] * 2]
    with (replacing(path, DataError, "the clips") as name, new_hdf5(name) as file):
        for (dataset, dtype), (rows, *row) in zip(DATASETS, shapes, strict=True):
            file.create_dataset(dataset, (count * rows, *row), dtype)
        for place in range(count):
            for (dataset, _), shape, array in zip(DATASETS, shapes, ahead.next().arrays,
                                                  strict=True):
                rows = shape[0]
                file[dataset][place * rows:(place + 1) * rows] = array.reshape(shape)
            progress.step()
