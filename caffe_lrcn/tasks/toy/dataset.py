"""The data set on disk: pictures, captions in COCO's form, attributes for HDF5Data."""
from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ... import rng
from ...errors import DataError, UsageError
from ...files import new_folder, read_lines
from ...hdf5_files import new_hdf5
from .attributes import NAMES, attributes
from .drawing import SIDE, draw
from .grammar import describe
from .scene import Scene, Thing, random_scene

Report = Callable[[str], None]
#: Split -> how its number of pictures follows from that of the training pictures.
SPLITS: dict[str, Callable[[int], int]] = {
    "train": lambda images: images,
    "val": lambda images: max(1, images // 20),
    "test_seen": lambda images: max(1, images // 16),
    "test_unseen": lambda images: max(1, images // 16),
}
#: COCO captions are numbered: picture * CAPTIONS + k.
CAPTIONS = 5


def write_dataset(out: str | os.PathLike[str], images: int = 8000, seed: int = 1,
                  report: Report = lambda line: None) -> None:
    """Write the generated data set.

    ``OUT/images`` holds the pictures of all splits; ``captions_<split>.json`` five captions each
    in COCO's form, where an image also has ``things``, ``relation`` and ``unseen``;
    ``attributes_<split>.h5`` the rows of ``attributes.NAMES`` in the order of
    ``images_<split>.txt``, which an ImageData layer reads (``attributes_<split>.txt`` names the
    HDF5 file for HDF5Data). Three of five scenes have two things. ``train``, ``val`` and
    ``test_seen`` show none of the held-out combinations, every picture of ``test_unseen`` one.

    Args:
        out: a folder that does not exist; it appears when all is written.
        images: number of training pictures.
        seed: the same seed gives the same files, and more pictures begin with the fewer ones.
        report: receives a line for each split.

    Raises:
        DataError: the folder exists or cannot be written.
        UsageError: no pictures are asked for.
    """
    out = Path(os.path.abspath(out))
    if images < 1:
        raise UsageError("a data set needs pictures", got=images, wanted="1 or more")
    if out.exists():
        raise DataError("output exists already", where=out,
                        remedy="Use another folder, or remove it.")
    with new_folder(out, DataError, "the data set") as folder:
        (folder / "images").mkdir()
        for split, size in SPLITS.items():
            _write_split(folder, split, size(images), seed)
            report(f"{split}: {size(images)} pictures")


def read_scenes(path: str | os.PathLike[str]) -> dict[str, Scene]:
    """Return the scene of each picture, by file name, of a ``captions_<split>.json``.

    Raises:
        DataError: the file cannot be read, or was not written by ``write_dataset``.
    """
    try:
        images = json.loads(read_lines(path))["images"]
        return {image["file_name"]: Scene(tuple(Thing(**thing) for thing in image["things"]),
                                          image["relation"]) for image in images}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError("not the captions of a generated data set", where=path,
                        got=f"{type(error).__name__}: {error}",
                        remedy="Generate it with caffe-lrcn data toy.") from error


def _write_split(out: Path, split: str, count: int, seed: int) -> None:
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    rows = []
    for index in range(count):
        random = rng.generator(seed, "toy", split, index)
        unseen = split == "test_unseen"
        scene = random_scene(random, 2 if unseen or index % 5 < 3 else 1, unseen)
        name = f"{split}_{index:05}.png"
        Image.fromarray(draw(scene, random)).save(out / "images" / name, compress_level=1)
        images.append({"id": index, "file_name": name, "width": SIDE, "height": SIDE,
                       "things": [asdict(thing) for thing in scene.things],
                       "relation": scene.relation, "unseen": scene.unseen})
        annotations.extend({"id": index * CAPTIONS + k, "image_id": index, "caption": caption}
                           for k, caption in enumerate(describe(scene, random, CAPTIONS)))
        rows.append(attributes(scene))
    _write_lists(out, split, images, np.stack(rows))
    (out / f"captions_{split}.json").write_text(
        json.dumps({"images": images, "annotations": annotations}), encoding="utf-8")


def _write_lists(out: Path, split: str, images: list[dict[str, Any]], rows: np.ndarray) -> None:
    with new_hdf5(out / f"attributes_{split}.h5") as file:
        file.create_dataset("attributes", data=rows).attrs["names"] = list(NAMES)
    (out / f"attributes_{split}.txt").write_text(f"attributes_{split}.h5\n", encoding="utf-8")
    # Paths count from the folder of the list; the number is a label that nobody reads.
    (out / f"images_{split}.txt").write_text(
        "".join(f"images/{image['file_name']} 0\n" for image in images), encoding="utf-8")
