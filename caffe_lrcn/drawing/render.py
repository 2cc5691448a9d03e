"""Graphs and canvases in the format that a file's name asks for."""
from __future__ import annotations

import io
import os

from ..errors import DataError, UsageError
from ..files import new_file
from .canvas import Canvas
from .graph import Graph

RANKDIRS = ("TB", "LR", "BT", "RL")


def render(graph: Graph, extension: str, rankdir: str = "TB") -> bytes:
    """Return the bytes of a file that shows a graph.

    Args:
        graph: boxes and arrows.
        extension: ``txt`` (UTF-8, always pointing down), or one that ``encode`` knows.
        rankdir: where arrows point: ``TB``, ``LR``, ``BT`` or ``RL``.

    Raises:
        UsageError: an unknown format or direction.
    """
    if rankdir not in RANKDIRS:
        raise UsageError("unknown rankdir", got=rankdir, wanted=", ".join(RANKDIRS))
    if extension == "txt":
        from .boxes import as_boxes
        return as_boxes(graph).encode()
    from .picture import make_picture
    return encode(make_picture(graph, rankdir), extension)


def encode(canvas: Canvas, extension: str) -> bytes:
    """Return the bytes of a file that shows a canvas.

    Args:
        canvas: what to show.
        extension: ``svg``, ``png``, or another format that Pillow writes.

    Raises:
        UsageError: an unknown format.
    """
    if extension == "svg":
        from .svg import as_svg
        return as_svg(canvas).encode()
    from PIL import Image

    from .png import as_image
    kind = Image.registered_extensions().get(f".{extension}")
    if kind not in Image.SAVE:
        raise UsageError("unknown format of a drawing", got=extension or "no extension",
                         wanted="svg, png, or another that Pillow writes; txt for a net")
    stream = io.BytesIO()
    as_image(canvas).save(stream, kind)
    return stream.getvalue()


def save(path: str | os.PathLike[str], drawing: bytes) -> None:
    """Write a drawing.

    Raises:
        DataError: the file cannot be written.
    """
    with new_file(path, DataError, "the drawing", "wb") as stream:
        stream.write(drawing)


def extension_of(path: str | os.PathLike[str]) -> str:
    """Return the extension of a file in lower case, without its dot."""
    return os.path.splitext(os.fspath(path))[1][1:].lower()
