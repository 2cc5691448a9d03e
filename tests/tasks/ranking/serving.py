"""``caffe-lrcn rank serve`` as a process of its own."""
from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path


class Served:
    """A running server; a context manager that kills it.

    Args:
        folder: where it runs.
        arguments: what follows ``rank serve``.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "caffe_lrcn", "rank", "serve", *arguments, "--port", "0"],
            cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self.process.stdout is not None and self.process.stderr is not None
        self.head = self.process.stdout.readline() + self.process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", self.head)
        assert address, self.head + self.process.stderr.read()
        self.address = address[0]

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def interrupt(self) -> tuple[int, str, str]:
        """Press Ctrl-C; return the exit code and what was printed after the start."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err
