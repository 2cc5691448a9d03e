"""What ``recognize`` does with videos that have an end: prints, counts, writes files."""
from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from ..errors import CaffeError, DataError, ShapeError
from . import runtime

if TYPE_CHECKING:
    import numpy as np

    from ..solver.progress import ProgressLine
    from ..tasks.activity.ensemble import Ensemble, Recognised, Video
    from ..tasks.activity.footage import Footage
    from ..tasks.activity.recognised_page import Strip


class RecognitionRun:
    """All videos, one after another."""

    def __init__(self, args: argparse.Namespace, ensemble: Ensemble, videos: list[Video]) -> None:
        from ..tasks.activity.recognised import Journal
        self.args, self.ensemble, self.videos = args, ensemble, videos
        self.classes = ensemble.nets[0].classes
        self.entries: list[dict[str, Any]] = []
        self.shown: list[tuple[Recognised | str, Strip | None]] = []
        self.unread: BrokenPipeError | None = None
        self.broken = self.short = 0
        self.journal: Journal | None = None
        if args.json and args.list and not (args.csv or args.html):
            self.journal = Journal(args.json, _settings(args, self.classes))
            if self.journal.changed:
                runtime.report("note: an earlier run had other nets or flags; all videos are "
                               "recognised anew")
            elif self.journal.done:
                runtime.report(f"note: {len(self.journal.done)} videos were recognised by an "
                               "earlier run")

    def all(self) -> int:
        """Recognise; print and write; return the exit code."""
        with self.journal or nullcontext():
            return self._all()

    def _all(self) -> int:
        from ..solver.progress import ProgressLine
        done = self.journal.done if self.journal else {}
        left = [video for video in self.videos if video.name not in done]
        many = ProgressLine(sys.stderr, len(left), plain=True) if len(left) > 1 else None
        entries = dict(done)
        for number, video in enumerate(left):
            found = self._one(video, None if many else self._watched)
            if many:
                many.close()
            self._tell(video, found, entries)
            if many and many.is_due():
                many.show(number + 1)
        if many:
            many.close()
        self.entries = [entries[video.name] | (
            {} if video.label is None else {"label": video.label})
            for video in self.videos if video.name in entries]
        self._write()
        return self._finish()

    def _one(self, video: Video, start: Callable[[Footage], None] | None
             ) -> tuple[Recognised | CaffeError, Strip | None]:
        strip = None
        if self.args.html:
            from ..tasks.activity.recognised_page import Strip
            strip = Strip()
        watch = strip or (lambda frame: None)
        self._progress: ProgressLine | None = None
        try:
            found = self.ensemble(video, watch, start or (lambda footage: None))
            if found.problem and self.args.strict:
                raise DataError(found.problem)
            return found, strip
        except (DataError, ShapeError) as error:
            if self.args.strict:
                raise
            return error, strip
        finally:
            if self._progress:
                self._progress.close()

    def _watched(self, footage: Footage) -> None:
        """Show how far the only video is."""
        from ..solver.progress import ProgressLine
        if self._progress:
            self._progress.close()
        if not footage.promised:
            return
        progress = self._progress = ProgressLine(sys.stderr, footage.promised, plain=True)
        inner = footage.watch

        def watch(frame: Any) -> None:
            inner(frame)
            if progress.is_due():
                progress.show(footage.count)

        footage.watch = watch

    def _tell(self, video: Video, outcome: tuple[Recognised | CaffeError, Strip | None],
              entries: dict[str, dict[str, Any]]) -> None:
        """Print what is said about a video, and keep what the files need."""
        from ..tasks.activity.recognised import entry
        found, strip = outcome
        if isinstance(found, CaffeError):
            self.broken += 1
            named = video.name in str(found)
            text = str(found) if named else f"{video.name}: {found}"
            runtime.report(f"error: {text}")
            if self.args.html:
                self.shown.append((text, strip))
            return
        entries[video.name] = entry(found)
        if self.journal:
            self.journal.add(entries[video.name])
        if self.args.csv or self.args.html:
            self.shown.append((found, strip))
        if found.problem:
            self.short += 1
            runtime.report(f"warning: {video.name}: recognised by the frames before this: "
                           f"{found.problem}")
        self._print("\n".join(self._lines(found)))

    def _print(self, text: str) -> None:
        """Print, unless the reader went away: like ``head``, it must not cost the files."""
        if self.unread:
            return
        try:
            print(text, flush=True)
        except BrokenPipeError as error:
            if not (self.args.json or self.args.csv or self.args.html):
                raise
            self.unread = error

    def _lines(self, found: Recognised) -> list[str]:
        from ..printable import printable
        from ..tasks.activity.recognised import headline
        if self.args.list and not self.args.top:
            best = int(found.average.argmax())
            label = found.video.label
            mark = "" if label is None else "  right" if label == best else \
                f"  wrong: {printable(self.classes[label])}"
            return [f"{printable(found.video.name)}: {printable(self.classes[best])} "
                    f"{found.average[best]:.1%}{mark}"]
        return [headline(found), *shown_bars(found.average, self.classes, self.args.top or 5)]

    def _write(self) -> None:
        from ..tasks.activity.recognised import write_csv, write_json
        from ..tasks.activity.recognised_page import write_recognised
        args = self.args
        if args.json and self.entries:
            write_json(args.json, self.classes, self.entries)
            if self.journal:
                self.journal.finish()
        if args.csv:
            write_csv(args.csv, self.classes,
                      [found for found, _ in self.shown if not isinstance(found, str)])
        if args.html:
            nets = " + ".join(f"{os.path.basename(net)} ({weights.name})"
                              for net, weights in zip(args.net, args.weights, strict=True))
            write_recognised(args.html, f"{nets}; {len(self.entries)} of {len(self.videos)} videos "
                                        "recognised.", self.classes, self.shown, args.top or 5)

    def _finish(self) -> int:
        """Say how many videos went wrong, and the accuracy; return the exit code."""
        labels = [(one["label"], one["probabilities"]) for one in self.entries if "label" in one]
        if labels:
            right = sum(label == values.index(max(values)) for label, values in labels)
            self._print(f"accuracy {right / len(labels):.2%}: {right} of {len(labels)} videos")
        if len(self.videos) > 1 and self.broken + self.short:
            print(f"{len(self.entries)} of {len(self.videos)} videos recognised, {self.short} of "
                  f"them cut short; {self.broken} are broken", file=sys.stderr)
        if self.unread:
            raise self.unread
        return 1 if self.broken else 0


def _settings(args: argparse.Namespace, classes: list[str]) -> dict[str, Any]:
    """Return what decides the results of a list."""
    files = []
    for path in (*args.net, *args.weights):
        status = os.stat(path) if os.path.exists(path) else None
        files.append([str(path), status and [status.st_size, status.st_mtime_ns]])
    names = ("stage", "modality", "fusion", "crops", "window", "stride", "faithful", "rate",
             "size", "mean", "flow_method", "flow_scale", "root", "flow", "math")
    return {"files": files, "classes": classes, **{name: getattr(args, name) for name in names}}


def shown_bars(probabilities: np.ndarray, classes: list[str], top: int) -> list[str]:
    """Return bars as wide as the terminal, of characters that it can show."""
    from ..tasks.activity.recognised import bars
    try:
        "█".encode(sys.stdout.encoding or "ascii")
        full = "█"
    except (LookupError, UnicodeEncodeError):
        full = "#"
    return bars(probabilities, classes, top, shutil.get_terminal_size().columns, full)
