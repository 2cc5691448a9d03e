"""Word streams in HDF5 files: the sequences in them, and what is wrong with them.

Arrays are (T, N): T time steps of N streams. A sequence begins where cont is 0; padding is where
the input is -1. In streams of videos a sequence begins with frames, in steps without words, and
padding is a step of its own.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import h5py
import numpy as np

from ..errors import DataError
from ..hdf5_files import hdf5_errors, member
from ..memory import check_room
from ..sources.records.hdf5 import open_file

PADDING, EOS = -1, 0
#: 0 while frames are read, else 1: in streams of videos.
_STAGE = "stage_indicator"
_TOO_LARGE = 1 << 31


@dataclass(frozen=True)
class Names:
    """Names of the data sets."""

    cont: str = "cont_sentence"
    input: str = "input_sentence"
    target: str = "target_sentence"


@dataclass(frozen=True)
class Streams:
    """The arrays of a file, each (T, N) integers; cont is kept as it is stored.

    The input of padding is -1, whatever it is in the file. ``reads`` tells where frames are read
    instead of words; None: nowhere.
    """

    cont: np.ndarray
    input: np.ndarray
    target: np.ndarray
    reads: np.ndarray | None = None

    @property
    def steps(self) -> int:
        """Return T."""
        return self.cont.shape[0]

    @property
    def count(self) -> int:
        """Return N."""
        return self.cont.shape[1]


@dataclass
class Finding:
    """One kind of problem, and every (step, stream) where it occurs."""

    text: str
    places: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Lengths:
    """How long the sequences of a file are, in steps; those cut off by the file's end included."""

    count: int
    least: int
    mean: float
    most: int
    padding: float  # share of all steps


def read_streams(path: str, names: Names | None = None) -> Streams:
    """Read the word streams of a file.

    Raises:
        DataError: the file is not HDF5, a data set is missing, or they are not of one shape (T, N).
    """
    names = names or Names()
    with open_file(path) as file, hdf5_errors(path, DataError):
        arrays = [_array(file, name, path) for name in (names.cont, names.input, names.target)]
        stage = _array(file, _STAGE, path) if _STAGE in file else None
    shapes = [array.shape for array in arrays]
    if len(set(shapes)) > 1:
        raise DataError("cont, input and target differ in shape", where=path,
                        got=", ".join(map(str, shapes)), wanted="(T, N) for all of them")
    cont, words, targets = arrays[0], arrays[1].astype(np.int64), arrays[2].astype(np.int64)
    reads = stage == 0 if stage is not None and stage.shape == cont.shape else None
    if reads is not None:
        padding = ~reads & (cont == 0)  # cont is 1 at all words, which come after frames
    else:
        goes_on = np.zeros(cont.shape, bool)
        goes_on[:-1] = cont[1:] == 1
        padding = (cont == 0) & (words == EOS) & (targets == PADDING) & ~goes_on
    return Streams(cont, np.where(padding, PADDING, words), targets, reads)


def _array(file: h5py.File, name: str, path: str) -> np.ndarray:
    data = member(file, name, DataError)
    if not isinstance(data, h5py.Dataset):
        raise DataError(f"there is no data set '{name}'", where=path,
                        got=", ".join(sorted(file)) or "an empty file",
                        remedy="Say other names with --cont, --input and --target")
    if data.ndim != 2 or data.dtype.kind not in "biuf":
        raise DataError(f"data set '{name}' is not a word stream", where=path,
                        got=f"{data.dtype} {data.shape}", wanted="numbers (T, N): steps, streams")
    check_room(data.nbytes, DataError, f"data set '{name}'", where=path)
    values = data[()]
    if not (np.abs(values.astype(np.float64)) < _TOO_LARGE).all():  # nor NaN
        raise DataError(f"data set '{name}' holds values that are not ids", where=path)
    return values


def starts(streams: Streams) -> np.ndarray:
    """Return where sequences begin, (T, N): cont is 0, and it is not padding."""
    return (streams.cont == 0) & (streams.input != PADDING)


def measure(streams: Streams) -> Lengths:
    """Return the lengths of the sequences, without padding."""
    real = streams.input != PADDING
    begin = starts(streams)
    begin[:1] |= real[:1]  # what goes on from the file before
    # Sequences one after the other, stream after stream; each real step belongs to the last begun.
    number = np.cumsum(begin.T.reshape(-1))
    lengths = np.bincount(number[real.T.reshape(-1)])[1:]
    lengths = lengths[lengths > 0]
    padding = 1 - real.mean() if real.size else 0.0
    if not lengths.size:
        return Lengths(0, 0, 0.0, 0, float(padding))
    return Lengths(len(lengths), int(lengths.min()), float(lengths.mean()), int(lengths.max()),
                   float(padding))


def find_problems(streams: Streams, words: int | None = None) -> list[Finding]:
    """Return what a recurrent net would learn wrongly from these streams.

    Args:
        streams: the arrays.
        words: size of the vocabulary, ``<EOS>`` included; None: not checked.
    """
    findings = []
    for text, check in _CHECKS.items():
        findings.append(Finding(text, _places(check(streams))))
    if words is not None:
        beyond = (streams.input >= words) | (streams.target >= words)
        findings.append(Finding(f"a word id beyond the vocabulary of {words}", _places(beyond)))
    return [finding for finding in findings if finding.places]


def _places(mask: np.ndarray) -> list[tuple[int, int]]:
    return [(int(step), int(stream)) for step, stream in np.argwhere(mask)]


def _first_step_with_cont(streams: Streams) -> np.ndarray:
    """A sequence begins after padding, after a target of ``<EOS>``, and in the first row.

    A first row with a word goes on with a sequence of the file before, and so may one with a
    frame.
    """
    real = streams.input != PADDING
    begins = (streams.input == EOS) & (streams.reads is None)
    begins[1:] = ~real[:-1] | (streams.target[:-1] == EOS)
    return real & begins & (streams.cont != 0)


def _target_in_padding(streams: Streams) -> np.ndarray:
    return (streams.input == PADDING) & (streams.target != PADDING)


def _word_without_target(streams: Streams) -> np.ndarray:
    return (streams.input != PADDING) & (streams.target == PADDING) & ~_reads(streams)


def _not_shifted(streams: Streams) -> np.ndarray:
    """Within a sequence the target of a step is the next step's input."""
    wrong = np.zeros(streams.input.shape, bool)
    goes_on = (streams.cont[1:] == 1) & (streams.input[1:] != PADDING)
    real = (streams.input[:-1] != PADDING) & (streams.target[:-1] != EOS) & ~_reads(streams)[:-1]
    wrong[:-1] = goes_on & real & (streams.target[:-1] != streams.input[1:])
    return wrong


def _reads(streams: Streams) -> np.ndarray:
    return np.zeros(streams.cont.shape, bool) if streams.reads is None else streams.reads


def _odd_cont(streams: Streams) -> np.ndarray:
    return (streams.cont != 0) & (streams.cont != 1)


def _negative_word(streams: Streams) -> np.ndarray:
    return (streams.input < PADDING) | (streams.target < PADDING)


_CHECKS: dict[str, Callable[[Streams], np.ndarray]] = {
    "the first step of a sequence has cont 1: it starts from the state of the one before":
        _first_step_with_cont,
    "a target in padding: the loss counts it": _target_in_padding,
    "a word without a target: the loss leaves it out": _word_without_target,
    "the target is not the next step's input": _not_shifted,
    "cont is neither 0 nor 1": _odd_cont,
    "a word id below -1": _negative_word,
}
