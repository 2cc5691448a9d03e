"""Commands whose output nobody reads to the end, as in ``caffe-lrcn … | head``."""
from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence


def run_unread(words: Sequence[object]) -> tuple[int, str]:
    """Run a command with a closed pipe for stdout; return its exit code and stderr."""
    with subprocess.Popen([sys.executable, "-u", "-m", "caffe_lrcn", *map(str, words)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        said = process.stderr.read()
    return process.returncode, said
