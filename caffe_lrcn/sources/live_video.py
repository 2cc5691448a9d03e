"""Videos without an end: standard input, a pipe, or a camera."""
from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from typing import Any, TypeVar

from ..errors import DataError
from .video_file import VideoFile

#: The path of standard input.
STDIN = "-"
_A = TypeVar("_A")
_REMEDY = ("A format with its index at the end, as most MP4 files have it, must be named as a "
           "file.")


class LiveVideo(VideoFile):
    """A video that is read as it comes: ``-``, a pipe, a camera of Linux (``/dev/video0``), a file.

    Raises:
        DataError: as ``VideoFile``; or the format cannot be read without going back in it.
    """

    def _open(self) -> Any:
        if self.path != STDIN:
            try:
                mode = os.stat(self.path).st_mode
            except (OSError, ValueError):
                return super()._open()  # which says what is wrong
            if not stat.S_ISFIFO(mode) and not stat.S_ISCHR(mode):
                return super()._open()
            if stat.S_ISCHR(mode):
                return self._opened(self.path, format="v4l2")
        # What a playlist names must not be fetched: no protocol is allowed.
        stream = sys.stdin.buffer if self.path == STDIN else open(self.path, "rb")  # noqa: SIM115
        return self._opened(stream, options={"protocol_whitelist": "none"})

    def _opened(self, source: Any, **how: Any) -> Any:
        try:
            return self._av.open(source, **how)
        except (self._av.FFmpegError, OSError, ValueError) as error:
            raise DataError(f"'{self.path}' cannot be read as a video",
                            got=getattr(error, "strerror", None) or error,
                            remedy=_REMEDY) from None

    def _checked(self, items: Iterator[_A]) -> Iterator[_A]:
        try:
            yield from super()._checked(items)
        except DataError as error:
            error.remedy = None if os.path.isfile(self.path) else _REMEDY
            raise
