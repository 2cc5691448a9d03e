"""What an installed package brings, seen from a folder that is not the repository."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
USED_OUTSIDE = "import caffe_lrcn, pathlib; p = pathlib.Path(caffe_lrcn.__file__).parent; "


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Build a wheel and unpack it; return a function that runs Python on it elsewhere."""
    pytest.importorskip("setuptools")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignored = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True,
        capture_output=True)
    if ignored.returncode:
        pytest.skip("needs a git checkout to know which files belong to the project")
    for name in ignored.stdout.splitlines():
        if name.startswith(("tests/", "docs/", "benchmarks/")) or not (ROOT / name).exists():
            continue
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w",
                    str(folder), str(source)], check=True, capture_output=True)
    wheel, = folder.glob("*.whl")
    target = folder / "site"
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", str(target),
                    str(wheel)], check=True, capture_output=True)

    def run(*arguments):
        env = {**os.environ, "PYTHONPATH": str(target)}
        return subprocess.run([sys.executable, *arguments], cwd=folder, env=env, text=True,
                              capture_output=True)
    return run


def test_the_command_line_runs(installed):
    result = installed("-m", "caffe_lrcn", "--help")
    assert result.returncode == 0, result.stderr
    assert "train" in result.stdout


def test_kernels_definitions_and_type_hints_travel(installed):
    result = installed("-c", USED_OUTSIDE + "print(sorted(q.name for q in p.rglob('*.cu*')), "
                       "(p / 'py.typed').exists(), (p / 'prototxt/lrcn_solver.prototxt').exists())")
    assert "'conv.cu'" in result.stdout and "'common.cuh'" in result.stdout, result.stderr
    assert result.stdout.strip().endswith("True True")


def test_the_ranking_page_travels(installed):
    result = installed("-c", USED_OUTSIDE + "p /= 'tasks/ranking'; "
                       "print(sorted(q.name for q in p.glob('[st]*/*')))")
    assert result.stdout.strip() == (
        "['base.html', 'done.html', 'error.html', 'icon.svg', 'item.html', 'rank.css', 'rank.js', "
        "'start.html']"), result.stderr


def test_installed_definitions_are_found_by_their_usual_path(installed):
    result = installed("-c", "from caffe_lrcn.proto.text import read_solver; "
                       "from caffe_lrcn.paths import resolve; "
                       "print(read_solver(resolve('prototxt/lrcn_solver.prototxt')).param.net)")
    assert "lrcn.prototxt" in result.stdout, result.stderr


def test_the_public_names_import(installed):
    result = installed("-c", "import caffe_lrcn as caffe; print(all(callable(getattr(caffe, n)) "
                       "for n in ('Net', 'SGDSolver', 'get_solver', 'set_mode_cpu')), "
                       "caffe.TRAIN, caffe.TEST)")
    assert result.stdout.strip() == "True 0 1", result.stderr


def test_caffe_s_tools_are_commands(installed):
    result = installed("-m", "caffe_lrcn", "summarize", "prototxt/zoo/lenet/deploy.prototxt")
    assert result.returncode == 0 and "InnerProduct" in result.stdout, result.stderr
