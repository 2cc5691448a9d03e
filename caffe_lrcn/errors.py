"""Every error that a user can cause, with its place, its layer, and what to do about it.

Each class also subclasses the built-in that pycaffe raises in the same situation, so that old
scripts with ``except RuntimeError`` keep working.
"""
from __future__ import annotations

from .printable import printable_lines, shortened


class CaffeError(RuntimeError):
    """Base of all errors raised on purpose by this package.

    Args:
        message: what went wrong, in one clause.
        where: ``file:line:column`` (or just the file) that is to blame.
        layer: name of the layer concerned.
        got: what was found.
        wanted: what would have been right.
        remedy: what the user can do about it.
    """

    def __init__(self, message: str, *, where: object = None, layer: str | None = None,
                 got: object = None, wanted: object = None, remedy: str | None = None) -> None:
        self.message, self.where, self.layer = message, where, layer
        self.got, self.wanted, self.remedy = got, wanted, remedy
        super().__init__(message)

    def __str__(self) -> str:
        text = f"{self.where}: " if self.where else ""
        text += f"layer '{self.layer}': " if self.layer else ""
        text += self.message
        facts = [f"{name} {value}" for name, value in
                 (("got", self.got), ("wanted", self.wanted)) if value is not None]
        if facts:
            text += f" ({', '.join(facts)})"
        if self.remedy:
            text += f". {self.remedy}{'' if self.remedy[-1] in '.?' else '.'}"
        return shortened(printable_lines(text))

    def __reduce__(self):
        # Exceptions cross process borders (data workers): keep the keyword fields.
        return _rebuild, (type(self), self.message, self.__dict__)


def _rebuild(cls: type[CaffeError], message: str, fields: dict) -> CaffeError:
    error = cls(message)
    error.__dict__.update(fields)
    return error


class PrototxtError(CaffeError, ValueError):
    """A definition that cannot be parsed, or that says something impossible."""


class NetError(CaffeError, ValueError):
    """A graph that cannot be built: unknown bottom, duplicate top, bad sharing."""


class ShapeError(CaffeError, ValueError):
    """Blob shapes that do not fit the layer."""


class LabelError(CaffeError, ValueError):
    """A label or an index out of range, found while running."""


class DataError(CaffeError, OSError):
    """A data source that is missing, damaged or of the wrong form."""


class WeightsError(CaffeError, ValueError):
    """Weights that cannot be read, or that do not fit the net."""


class SnapshotError(CaffeError, OSError):
    """A snapshot that cannot be written, or that cannot be resumed."""


class BackendError(CaffeError):
    """A device, library or kernel that is asked for and not available."""


class DivergedError(CaffeError, ArithmeticError):
    """Training produced a NaN or an infinite loss."""


class UsageError(CaffeError, ValueError):
    """A command line or an API call that makes no sense."""


class MissingModuleError(CaffeError, ImportError):
    """A Python module that a definition names and that cannot be found."""


class MissingNameError(CaffeError, AttributeError):
    """A class that a module does not have, or a field that a message does not have."""


class MissingKeyError(CaffeError, KeyError):
    """A name that a net's blobs, parameters or layers do not have."""
