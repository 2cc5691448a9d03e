"""Running Caffe's tools in this process."""
from __future__ import annotations

from pathlib import Path

from caffe_lrcn.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "data"


def run(name: str, *words: object) -> int:
    """Run a tool with these words and return its exit code."""
    return main([name, *map(str, words)])
