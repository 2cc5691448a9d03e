"""``python -m caffe_lrcn``: the same as the `caffe-lrcn` program."""
import os
import sys

# For -m Python puts the working folder first, where a random.py or numpy.py would take the place of
# the real one. The program does not import from there, and nor does this.
if sys.path[0] == os.getcwd() and not getattr(sys.flags, "safe_path", False):
    del sys.path[0]

from .cli.main import main  # noqa: E402

sys.exit(main())
