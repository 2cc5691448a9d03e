"""Roles as HDF5: what ``roles`` describes, as arrays.

For N clips, K slots and S labels of all slots together:

=================== ============= ==============================================================
``slots``           (K,) text     names of the slots
``slot_sizes``      (K,) integer  how many labels each has
``slot_labels``     (S,) text     labels of the first slot, then of the second, and so on
``ids``             (N,) text     names of the clips
``videos``          (N,) text     may be missing; empty for a clip without a path
``labels``          (N, K) int.   place of each label among those of its slot, from 0
``probabilities``   (N, S) float  blocks of the slots side by side
``sentences``       (M,) text     may be missing, with ``sentence_counts``
``sentence_counts`` (N,) integer  how many of the sentences belong to each clip, in order
=================== ============= ==============================================================

``labels`` or ``probabilities`` may be missing. Where the attribute ``maximum`` of the file is
``joint``, labels are a joint maximum. Text is UTF-8.
"""
from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from ...errors import DataError
from ...files import replacing
from ...hdf5_files import hdf5_errors, member, new_hdf5
from ...language.text_files import brief
from ...memory import check_room
from .role_records import Roles, Slot, check_clips, check_slots, check_vectors, clip_place


def read(path: str) -> Roles:
    """Return the roles in an HDF5 file.

    Raises:
        DataError: as ``roles.read_roles``.
    """
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DataError("the roles cannot be read", where=path, got=error,
                        wanted="an HDF5 file of roles") from error
    with file, hdf5_errors(path, DataError):
        slots = _slots(file)
        check_slots(slots, path)
        ids = _texts(file, "ids")
        videos = _texts(file, "videos", len(ids)) if "videos" in file else [""] * len(ids)
        sentences = _sentences(file, len(ids))
        check_clips(ids, sentences, path)
        states = sum(len(slot.labels) for slot in slots)
        probabilities = _numbers(file, "probabilities", (len(ids), states), "f")
        labels = _numbers(file, "labels", (len(ids), len(slots)), "iu")
        if labels is None and probabilities is None:
            raise DataError("the roles are missing", where=path,
                            wanted="the dataset 'labels', 'probabilities', or both")
        if labels is None:
            labels = _maxima(slots, probabilities)
        roles = Roles(path, slots, ids, [video or None for video in videos],
                      labels.astype(np.int64), probabilities, sentences, _is_joint(file))
    _check_labels(roles)
    check_vectors(roles)
    return roles


def write(path: str, roles: Roles) -> None:
    """Write roles as HDF5.

    Raises:
        DataError: as ``roles.write_roles``.
    """
    check_slots(roles.slots, roles.path)
    check_clips(roles.ids, roles.sentences, roles.path)
    check_vectors(roles)
    text = h5py.string_dtype()
    with replacing(path, DataError, "the roles") as name, new_hdf5(name) as file:
        file.create_dataset("slots", data=[slot.name for slot in roles.slots], dtype=text)
        file["slot_sizes"] = [len(slot.labels) for slot in roles.slots]
        file.create_dataset("slot_labels", dtype=text,
                            data=[label for slot in roles.slots for label in slot.labels])
        file.create_dataset("ids", data=roles.ids, dtype=text)
        if any(roles.videos):
            file.create_dataset("videos", data=[video or "" for video in roles.videos], dtype=text)
        file["labels"] = roles.labels
        if roles.probabilities is not None:
            file["probabilities"] = roles.probabilities
        if any(roles.sentences):
            file["sentence_counts"] = [len(texts) for texts in roles.sentences]
            file.create_dataset("sentences", dtype=text,
                                data=[one for texts in roles.sentences for one in texts])
        if roles.joint:
            file.attrs["maximum"] = "joint"


def _slots(file: h5py.File) -> tuple[Slot, ...]:
    names = _texts(file, "slots")
    sizes = _numbers(file, "slot_sizes", (len(names),), "iu", needed=True)
    labels = _texts(file, "slot_labels")
    if (sizes < 0).any() or sizes.sum() != len(labels):
        raise DataError("'slot_sizes' do not fit 'slot_labels'", got=sizes.tolist(),
                        wanted=f"numbers that add up to {len(labels)}")
    ends = np.cumsum(sizes).tolist()
    return tuple(Slot(name, tuple(labels[end - size:end]))
                 for name, size, end in zip(names, sizes.tolist(), ends, strict=True))


def _sentences(file: h5py.File, clips: int) -> list[list[str]]:
    if "sentences" not in file and "sentence_counts" not in file:
        return [[] for _ in range(clips)]
    texts = _texts(file, "sentences")
    counts = _numbers(file, "sentence_counts", (clips,), "iu", needed=True)
    if (counts < 0).any() or counts.sum() != len(texts):
        raise DataError("'sentence_counts' do not fit 'sentences'", got=f"{counts.sum()} in all",
                        wanted=len(texts))
    ends = np.cumsum(counts).tolist()
    return [texts[end - count:end] for count, end in zip(counts.tolist(), ends, strict=True)]


def _is_joint(file: h5py.File) -> bool:
    maximum = file.attrs.get("maximum", "slot")
    if maximum not in ("slot", "joint"):
        raise DataError("unknown attribute 'maximum'", got=brief(maximum), wanted="slot or joint")
    return bool(maximum == "joint")


def _maxima(slots: tuple[Slot, ...], probabilities: np.ndarray) -> np.ndarray:
    """Return (N, K) the first maximum of each vector."""
    ends = np.cumsum([len(slot.labels) for slot in slots])[:-1]
    return np.stack([block.argmax(axis=1) for block in np.split(probabilities, ends, axis=1)], 1)


def _check_labels(roles: Roles) -> None:
    sizes = np.array([len(slot.labels) for slot in roles.slots])
    wrong = (roles.labels < 0) | (roles.labels >= sizes)
    if wrong.any():
        clip, slot = (int(place) for place in np.argwhere(wrong)[0])
        raise DataError(f"unknown label of slot '{roles.slots[slot].name}'",
                        where=clip_place(roles.path, clip, roles.ids[clip]),
                        got=int(roles.labels[clip, slot]), wanted=f"0 to {sizes[slot] - 1}")


def _texts(file: h5py.File, name: str, count: int | None = None) -> list[str]:
    data = _dataset(file, name)
    if data is None:
        raise DataError(f"dataset '{name}' is missing", wanted="an HDF5 file of roles")
    if data.ndim != 1 or h5py.check_string_dtype(data.dtype) is None:
        raise DataError(f"dataset '{name}' is not a row of texts",
                        got=f"{data.dtype} of shape {data.shape}")
    if count is not None and len(data) != count:
        raise DataError(f"dataset '{name}' has another length than 'ids'", got=len(data),
                        wanted=count)
    return [str(text) for text in data.asstr()[:]]


def _numbers(file: h5py.File, name: str, shape: tuple[int, ...], kinds: str,
             needed: bool = False) -> Any:
    """Return an array, or None where there is none and none is needed.

    Args:
        file, name: where it is.
        shape: that it must have.
        kinds: NumPy's letters for the kinds of numbers that it may have.
        needed: it must be there.
    """
    data = _dataset(file, name)
    if data is None and not needed:
        return None
    if data is None:
        raise DataError(f"dataset '{name}' is missing", wanted="an HDF5 file of roles")
    if data.dtype.kind not in kinds or data.shape != shape:
        words = "whole numbers" if "i" in kinds else "fractions"
        raise DataError(f"dataset '{name}' has another form", got=f"{data.dtype} of shape "
                        f"{data.shape}", wanted=f"{words} of shape {shape}")
    return data[:].astype(np.int64 if "i" in kinds else np.float64)


def _dataset(file: h5py.File, name: str) -> Any:
    data = member(file, name, DataError)
    if data is not None and not isinstance(data, h5py.Dataset):
        raise DataError(f"'{name}' is not a dataset")
    if data is not None:
        check_room(data.size * data.dtype.itemsize, DataError, f"dataset '{name}'")
    return data
