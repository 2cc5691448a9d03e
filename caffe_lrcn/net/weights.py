"""Weights between nets and files: copied by layer name, with a report of what went where."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import glog
from ..blob import Blob
from ..errors import WeightsError
from ..proto import weights_io
from .transfer import Rename, Transfer

if TYPE_CHECKING:
    from .net import Net


_SHOWN = 8  # names of layers in an error
# protobuf refuses longer messages, so neither Caffe nor anything else could read the file.
BINARY_LIMIT = 2**31 - 1
_FROM_SCRATCH = ("Rename the layer in the net to train it from scratch, or say "
                 "--ignore-mismatch to train (from Python: ignore_mismatch=True)")


@dataclass
class LoadReport:
    """What loading a weight file did.

    ``loaded`` and ``missing`` are layers of the net that did and did not get weights; ``unused``
    are layers of the file with weights that no layer of the net is named after. ``skipped`` says
    of each layer that was left out why; ``renames`` are those that fitted, ``names`` the layers of
    the file with weights.
    """

    source: str
    loaded: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    renames: list[Rename] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the report as lines for a log."""
        lines = [f"Weights from {self.source}: {len(self.loaded)} layers loaded"]
        if self.missing:
            lines.append(f"    not in the file (they keep their fillers): "
                         f"{', '.join(self.missing)}")
        if self.unused:
            lines.append(f"    not in the net (ignored): {', '.join(self.unused)}")
        return lines + [f"    left out: {reason}" for reason in self.skipped]


def refuse_strangers(net: Net, report: LoadReport) -> None:
    """Refuse weights of another net: the run would go on with what the fillers drew.

    Raises:
        WeightsError: the net has parameters, and no layer of the file has a layer's name.
    """
    if report.loaded or not net.param_owners:
        return
    raise WeightsError("no layer of the net is named in these weights", where=report.source,
                       got=_named(report.unused), wanted=_named(report.missing),
                       remedy="Give the weights of this net, or give its layers the names of the "
                              "file's. To start without them, leave them out")


def warn_of_missing(reports: Sequence[LoadReport]) -> None:
    """Log a warning that lists the layers which none of several files had weights for."""
    loaded = {name for report in reports for name in report.loaded}
    missing = [name for name in reports[-1].missing if name not in loaded] if reports else []
    if missing:
        glog.warning(f"No file of weights names {', '.join(missing)}: these layers have the "
                     "values that their fillers drew")


def _named(layers: Sequence[str]) -> str:
    more = f" and {len(layers) - _SHOWN} more" if len(layers) > _SHOWN else ""
    return f"{', '.join(layers[:_SHOWN])}{more}" if layers else "no layer with weights"


def load_into(net: Net, path: str, transfer: Transfer | None = None) -> LoadReport:
    """Copy the weights of a ``.caffemodel`` or ``.caffemodel.h5`` into ``net`` by layer name.

    Nothing is copied unless everything fits, but for what ``transfer`` leaves out.

    Raises:
        WeightsError: the file cannot be read, or a layer's blobs do not fit the net's.
    """
    source = weights_io.read_weights(path)
    report = LoadReport(path)
    copies: list[tuple[Blob, np.ndarray, np.ndarray | None]] = []
    for index, layer in _pair(net, source.layers, report, transfer or Transfer()):
        try:
            pairs = _fit(net, path, index, layer)
        except WeightsError as error:
            if transfer is None or not transfer.ignore_mismatch:
                raise
            report.skipped.append(f"layer '{net.layer_names[index]}': {error.message} "
                                  f"(file {error.got}, net {error.wanted})")
            continue
        copies += pairs
        if layer.blobs:
            report.loaded.append(net.layer_names[index])
    for blob, values, diff in copies:
        blob.host_data[...] = values.reshape(blob.shape)
        if diff is not None:
            blob.host_diff[...] = diff.reshape(blob.shape)
    # HDF5 files hold a shared parameter at its owner only: a layer that owns none lacks nothing.
    report.missing = [net.layer_names[index]
                      for index in sorted({owner for owner, _ in net.param_owners})
                      if net.layer_names[index] not in report.loaded]
    return report


def _pair(net: Net, layers: Sequence[weights_io.WeightLayer], report: LoadReport,
          transfer: Transfer) -> list[tuple[int, weights_io.WeightLayer]]:
    """Return which layer of the net takes each of the file's; a rename goes before a same name."""
    targets: dict[str, int] = {}
    for index, name in enumerate(net.layer_names):
        targets.setdefault(name, index)
    renamed = {new for new, rename in (transfer.rename(layer.name) for layer in layers) if rename}
    pairs = []
    for layer in layers:
        name, rename = transfer.rename(layer.name)
        if layer.blobs:
            report.names.append(layer.name)
        if rename and layer.blobs and name in targets:
            report.renames.append(rename)
        if name in targets and (rename or name not in renamed):
            pairs.append((targets[name], layer))
        elif layer.blobs:
            report.unused.append(layer.name)
    return pairs


def share_with(net: Net, other: Net) -> None:
    """Let every layer of ``net`` use the parameter values of the layer of that name in ``other``.

    Raises:
        WeightsError: layers of one name have different parameters.
    """
    targets: dict[str, list[Blob]] = {}
    for name, layer in zip(net.layer_names, net.layers, strict=True):
        targets.setdefault(name, layer.blobs)
    for name, layer in zip(other.layer_names, other.layers, strict=True):
        blobs = targets.get(name)
        if blobs is None:
            continue
        ours, theirs = [b.shape for b in blobs], [b.shape for b in layer.blobs]
        if ours != theirs:
            raise WeightsError("cannot share weights between nets: parameters differ", layer=name,
                               got=theirs, wanted=ours)
        for blob, source in zip(blobs, layer.blobs, strict=True):
            blob.share_data(source)


def save(net: Net, path: str, diffs: bool = False) -> None:
    """Write a binary ``.caffemodel``: every layer with its definition and its parameters.

    Raises:
        WeightsError: it would be longer than 2 GiB.
    """
    size = binary_size(net, diffs)
    if size > BINARY_LIMIT:
        raise WeightsError("these weights are too large for a binary .caffemodel", where=path,
                           got=f"{size:,} bytes", wanted=f"at most {BINARY_LIMIT:,}",
                           remedy="Save them as HDF5: save_hdf5, or snapshot_format: HDF5")
    weights_io.write_weights(path, net.name, _records(net, diffs, owners_only=False),
                             net.vocabulary)


def binary_size(net: Net, diffs: bool = False) -> int:
    """Return how many bytes a binary ``.caffemodel`` takes, to within a few for each blob."""
    arrays = sum(blob.count for layer in net.layers for blob in layer.blobs)
    return (arrays * (8 if diffs else 4)
            + sum(int(layer.param.ByteSize()) for layer in net.layers))


def save_hdf5(net: Net, path: str, diffs: bool = False) -> None:
    """Write a ``.caffemodel.h5``, in which a shared parameter stands once, at its owner."""
    weights_io.write_weights_h5(path, _records(net, diffs, owners_only=True), net.vocabulary)


def _records(net: Net, diffs: bool, owners_only: bool) -> list[weights_io.LayerRecord]:
    owners = set(net.param_owners)
    records: list[Any] = []
    for number, layer in enumerate(net.layers):
        values = [None if owners_only and (number, index) not in owners
                  else np.asarray(blob.read_data(), np.float32)
                  for index, blob in enumerate(layer.blobs)]
        grads = [np.asarray(blob.read_diff(), np.float32) if diffs else None
                 for blob in layer.blobs]
        records.append((layer.param, values, grads))
    return records


def _fit(net: Net, path: str, index: int,
         layer: weights_io.WeightLayer) -> list[tuple[Blob, np.ndarray, np.ndarray | None]]:
    """Pair the net's blobs with the file's values; shared parameters may be missing there."""
    blobs = net.layers[index].blobs
    values = list(layer.blobs) + [None] * (len(blobs) - len(layer.blobs))
    owned = {position for owner, position in net.param_owners if owner == index}
    if len(values) > len(blobs) or any(values[position] is None for position in owned):
        raise WeightsError(
            "the file holds another number of parameters than the net's layer", where=path,
            layer=layer.name, got=f"{len(layer.blobs)}: {_shapes(layer.blobs)}",
            wanted=f"{len(blobs)}: {_shapes(blobs)}",
            remedy=_FROM_SCRATCH)
    pairs = []
    for position, (blob, array) in enumerate(zip(blobs, values, strict=True)):
        if array is None:
            continue
        if not _same_shape(blob.shape, array.shape, layer.legacy_shape[position]):
            raise WeightsError(
                f"parameter {position} has another shape in the file", where=path,
                layer=layer.name, got=array.shape, wanted=blob.shape,
                remedy="The weights belong to another net, or num_output, kernel size or "
                       f"vocabulary size changed. {_FROM_SCRATCH}")
        diff = layer.diffs[position] if position < len(layer.diffs) else None
        pairs.append((blob, array, diff))
    return pairs


def _shapes(blobs: Sequence[Any]) -> list[tuple[int, ...]]:
    return [blob.shape for blob in blobs if blob is not None]


def _same_shape(wanted: tuple[int, ...], got: tuple[int, ...], legacy: bool) -> bool:
    if not legacy:
        return wanted == got
    # Old files know four axes only: compare aligned at the right, absent axes as 1.
    return len(wanted) <= 4 and (1,) * (4 - len(wanted)) + wanted == got
