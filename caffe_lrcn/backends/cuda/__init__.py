"""CUDA ops: kernels in ``.cu`` files, one launcher module beside each.

The launchers also take NumPy arrays; the kernels then run on the host, compiled by a C++ compiler
(see ``compile.py``), which is how their arithmetic is tested without a GPU.
"""
