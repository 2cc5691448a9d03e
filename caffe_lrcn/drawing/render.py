"""A graph in the format that is asked for."""
from __future__ import annotations

import io
import os

from ..errors import UsageError
from .graph import Graph

RANKDIRS = ("TB", "LR", "BT", "RL")


def render(graph: Graph, extension: str, rankdir: str = "TB") -> bytes:
    """Return the bytes of a file that shows a graph.

    Args:
        graph: boxes and arrows.
        extension: ``svg``, ``txt`` (UTF-8, always pointing down), ``png``, or another format that
            Pillow writes.
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
    picture = make_picture(graph, rankdir)
    if extension == "svg":
        from .svg import as_svg
        return as_svg(picture, graph.name).encode()
    from PIL import Image

    from .png import as_image
    kind = Image.registered_extensions().get(f".{extension}")
    if kind not in Image.SAVE:
        raise UsageError("unknown format of a drawing", got=extension or "no extension",
                         wanted="svg, png, txt, or another that Pillow writes")
    stream = io.BytesIO()
    as_image(picture).save(stream, kind)
    return stream.getvalue()


def extension_of(path: str | os.PathLike[str]) -> str:
    """Return the extension of a file in lower case, without its dot."""
    return os.path.splitext(os.fspath(path))[1][1:].lower()
