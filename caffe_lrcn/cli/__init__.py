"""The ``caffe-lrcn`` program: ``main.py``, and one module a command."""
