"""Arrays in ``.npy`` files that somebody else made: features, means, pictures."""
from __future__ import annotations

import os

import numpy as np

from ..errors import DataError
from ..memory import check_room


def read_array(path: str | os.PathLike[str], what: str, wanted: str | None = None,
               remedy: str | None = None) -> np.ndarray:
    """Return the array of numbers in a ``.npy`` file.

    Args:
        path: the file.
        what: what it holds, such as ``the features``.
        wanted, remedy: of the error where it is no such file.

    Raises:
        DataError: the file is missing, of another kind, shorter than its header says, or too large
            for the memory.
    """
    mapped = map_array(path, what, wanted, remedy)
    check_room(mapped.nbytes, DataError, f"the file of {what}", where=path)
    return np.array(mapped)


def map_array(path: str | os.PathLike[str], what: str, wanted: str | None = None,
              remedy: str | None = None) -> np.ndarray:
    """Return the array of numbers in a ``.npy`` file, which is read where it is looked at.

    Args:
        path, what, wanted, remedy: as for ``read_array``.

    Raises:
        DataError: the file is missing, of another kind, or shorter than its header says.
    """
    try:
        if not os.path.isfile(path) and os.path.exists(path):
            raise DataError(f"{what} cannot be read", where=path,
                            got="a folder, a pipe or a device")
        # A map takes no memory, and is refused where the header claims more than the file has.
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{what} cannot be read", where=path, got=error.strerror or error,
                        wanted=wanted, remedy=remedy) from error
    except Exception as error:  # NumPy raises whatever a damaged header leads it to
        # Its message about other kinds of files advises to load them unsafely.
        cause = "another kind of file, or Python objects" if "pickle" in str(error) else error
        raise DataError(f"{what} cannot be read", where=path, got=cause,
                        wanted=wanted or "an .npy file", remedy=remedy) from error
    if not isinstance(mapped, np.ndarray):  # an archive of several arrays
        mapped.close()
        raise DataError(f"{what} cannot be read", where=path, got="an .npz archive",
                        wanted="an .npy file")
    if mapped.dtype.kind not in "biuf":
        raise DataError(f"{what} cannot be read: this is not an array of numbers", where=path,
                        got=mapped.dtype)
    return mapped
