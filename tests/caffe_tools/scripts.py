"""Running the scripts of ``tools/`` in this process."""
from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from caffe_lrcn.cli.program import run_program

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "data"


def load(name: str) -> ModuleType:
    """Import a script by its file."""
    spec = importlib.util.spec_from_file_location(f"tool_{name}", ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name: str, *words: object) -> int:
    """Run a script with these words and return its exit code."""
    script = load(name)
    return run_program(script.parser(), script.work, [str(word) for word in words])
