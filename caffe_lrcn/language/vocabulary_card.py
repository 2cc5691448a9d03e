"""Whether word ids are those of a vocabulary: a wrong one gives fluent nonsense.

Caption streams carry the vocabulary's SHA-256 and its number of ids as attributes; a snapshot's
sidecar keeps them of the streams that the net learnt from.
"""
from __future__ import annotations

import os
import re
from pathlib import Path

import h5py

from .. import glog
from ..errors import DataError, SnapshotError
from ..hdf5_files import hdf5_errors
from ..solver.data_files import VOCABULARY, VOCABULARY_IDS
from ..solver.resume_file import read_resume_file
from ..sources.records.hdf5 import open_file
from .vocabulary import Vocabulary

_FLAG = "--other-vocabulary"


def stamp(file: h5py.File, vocabulary: Vocabulary) -> None:
    """Note in a file of caption streams which vocabulary its ids are of."""
    file.attrs[VOCABULARY] = vocabulary.sha256
    file.attrs[VOCABULARY_IDS] = len(vocabulary)


def check_weights(weights: str | Path, vocabulary: Vocabulary, path: str | Path) -> None:
    """See that a net was trained with a vocabulary, if the sidecar beside its weights tells.

    Args:
        weights: the net's; ``.resume`` beside them is read.
        vocabulary: what the ids are taken for.
        path: its file, for the error.

    Raises:
        DataError: it was another vocabulary.
    """
    sidecar = re.sub(r"\.caffemodel(\.h5)?$", "", str(weights)) + ".resume"
    if not os.path.isfile(sidecar):
        return
    try:
        read = read_resume_file(sidecar).data
    except SnapshotError as error:  # the weights may be whole all the same
        glog.warning(f"Whether the vocabulary is that of the training is not known: {error}")
        return
    known = {fact[VOCABULARY]: (file, fact[VOCABULARY_IDS]) for file, fact in read.items()
             if VOCABULARY in fact}
    if known and vocabulary.sha256 not in known:
        streams, ids = next(iter(known.values()))
        raise _other(path, vocabulary, f"{weights} were trained on {streams}, which was made", ids,
                     next(iter(known)))


def check_streams(streams: str | Path, vocabulary: Vocabulary, path: str | Path) -> None:
    """See that the ids of a file of caption streams are those of a vocabulary, if the file tells.

    Raises:
        DataError: they are those of another, or the file cannot be read.
    """
    with hdf5_errors(streams, DataError), open_file(str(streams)) as file:
        sha256, ids = file.attrs.get(VOCABULARY), file.attrs.get(VOCABULARY_IDS)
    if sha256 is not None and sha256 != vocabulary.sha256:
        raise _other(path, vocabulary, f"{streams} was made", ids, sha256)


def _other(path: str | Path, vocabulary: Vocabulary, what: str, ids: object,
           sha256: str) -> DataError:
    return DataError(f"{what} with another vocabulary", where=path,
                     got=f"{len(vocabulary)} ids, SHA-256 {vocabulary.sha256[:12]}",
                     wanted=f"{ids} ids, SHA-256 {sha256[:12]}",
                     remedy="Name the vocabulary.txt that 'data captions' wrote beside those "
                            f"streams, or go on all the same with {_FLAG}")
