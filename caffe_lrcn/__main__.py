"""``python -m caffe_lrcn``: the same as the `caffe-lrcn` program."""
import sys

from .cli.main import main

sys.exit(main())
