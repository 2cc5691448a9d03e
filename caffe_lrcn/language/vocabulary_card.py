"""Whether word ids are those of a vocabulary: a wrong one gives fluent nonsense.

Caption streams carry the vocabulary's SHA-256 and its number of ids as attributes, and weights that
were trained on them carry the SHA-256.
"""
from __future__ import annotations

import os
from pathlib import Path

import h5py

from ..errors import DataError
from ..hdf5_files import hdf5_errors
from ..proto.weights_io import find_vocabulary
from ..solver.data_files import VOCABULARY, VOCABULARY_IDS
from ..sources.records.hdf5 import open_file
from .vocabulary import Vocabulary

_FLAG = "--other-vocabulary"


def stamp(file: h5py.File, vocabulary: Vocabulary) -> None:
    """Note in a file of caption streams which vocabulary its ids are of."""
    file.attrs[VOCABULARY] = vocabulary.sha256
    file.attrs[VOCABULARY_IDS] = len(vocabulary)


def check_weights(weights: str | Path, vocabulary: Vocabulary, path: str | Path) -> None:
    """See that a net was trained with a vocabulary, if its weights tell.

    Args:
        weights: the net's, ``.caffemodel`` or ``.caffemodel.h5``.
        vocabulary: what the ids are taken for.
        path: its file, for the error.

    Raises:
        DataError: it was another vocabulary.
        WeightsError: the weights cannot be read.
    """
    known = find_vocabulary(weights) if os.path.isfile(weights) else ""
    if known and known != vocabulary.sha256:
        raise _other(path, vocabulary, f"{weights} were trained", None, known)


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
                     wanted=f"{f'{ids} ids, ' if ids else ''}SHA-256 {sha256[:12]}",
                     remedy="Name the vocabulary.txt that 'data captions' wrote beside those "
                            f"streams, or go on all the same with {_FLAG}")
