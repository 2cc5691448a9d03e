"""Lines about how far long work has come."""
import pytest

from caffe_lrcn.tasks import progress
from caffe_lrcn.tasks.progress import Progress


@pytest.fixture()
def clock(monkeypatch):
    """A clock that a test sets."""
    times = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: times[0])
    return times


def test_lines_now_and_then(clock):
    lines = []
    told = Progress(10, "clips", lines.append)
    for seconds in (1, 3, 4, 6):
        clock[0] = seconds
        told.step()
    told.step(5)
    clock[0] = 90
    told.step()  # the last one: the command says itself that it is done
    assert lines == ["2 of 10 clips, about 0:12 left", "4 of 10 clips, about 0:09 left"]


def test_what_was_done_before_takes_no_time(clock):
    lines = []
    told = Progress(100, "videos", lines.append)
    told.step(80, idle=True)
    clock[0] = 10
    told.step(10)
    assert lines == ["90 of 100 videos, about 0:10 left"]
