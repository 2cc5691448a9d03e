"""The values of oneDNN's public enumerations (dnnl_types.h, versions 2 and 3) that we use."""
from __future__ import annotations

SUCCESS = 0

ENGINE_CPU = 1
STREAM_DEFAULT = 1

UNDEFINED, F32 = 0, 3
TAG_ANY, TAG_A, TAG_ABCD, TAG_ABCDE = 1, 2, 5, 6

FORWARD_TRAINING = 64
CONVOLUTION_DIRECT = 1
FPMATH_BF16 = 1

# Execution arguments. A reorder reads ARG_SRC (its "from") and writes ARG_DST (its "to").
ARG_SRC, ARG_DST, ARG_WEIGHTS, ARG_BIAS = 1, 17, 33, 41
ARG_DIFF_SRC, ARG_DIFF_DST, ARG_DIFF_WEIGHTS = 129, 145, 161

# Which query of a primitive descriptor gives the layout of an argument.
QUERY_OF_ARG = {ARG_SRC: 129, ARG_DIFF_SRC: 130, ARG_WEIGHTS: 131, ARG_DIFF_WEIGHTS: 132,
                ARG_DST: 133, ARG_DIFF_DST: 134}
