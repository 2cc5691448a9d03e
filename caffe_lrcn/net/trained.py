"""A trained net, from its definition and its weights."""
from __future__ import annotations

import os
from collections.abc import Iterable

from ..backends import Backend
from ..errors import WeightsError
from ..proto import caffe_pb2
from ..proto.text import read_net
from .net import Net


def load_trained(prototxt: str | os.PathLike[str], weights: str | os.PathLike[str],
                 stages: Iterable[str], backend: Backend) -> Net:
    """Return a TEST net with all its weights.

    Raises:
        WeightsError: a layer has no weights in the file, or they do not fit.
    """
    net = Net(read_net(prototxt), backend, phase=caffe_pb2.TEST, stages=stages)
    report = net.copy_trained_layers_from(os.fspath(weights))
    if report.missing:
        raise WeightsError("the weights lack layers of the net", where=weights,
                           got=f"no {', '.join(report.missing)}", wanted=f"those of {prototxt}",
                           remedy="Use the weights of a net of this variant (see --stage).")
    return net
