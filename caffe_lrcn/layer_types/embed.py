"""Embed: a row of a table for every index."""
from __future__ import annotations

from ..blob import Blob
from ..errors import CaffeError, NetError
from .base import Layer
from .common.checks import require_positive
from .common.labels import index_complaint


class Embed(Layer):
    """Look up ``top[...] = W[int(bottom[...])] + b``.

    Bottom: indices of any shape; top: that shape plus (num_output,). Parameters: W (input_dim,
    num_output), b (num_output,) if bias_term. The index -1 marks padding: a row of zeros without
    the bias, and no gradient; with ``strict`` it is an error. Source: Caffe's embed_layer.
    """

    allows_in_place = False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Check the definition and make the table and the bias."""
        param = self.param.embed_param
        self._least = 0 if self.context.settings.strict else -1
        require_positive(self, "embed_param", "num_output", "input_dim")
        self.add_param((param.input_dim, param.num_output), param.weight_filler)
        if param.bias_term:
            self.add_param((param.num_output,), param.bias_filler)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Set the top's shape: the bottom's plus (num_output,)."""
        top[0].reshape(*bottom[0].shape, self.param.embed_param.num_output)

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Look the rows up; an index outside the table sets a bit of the status word."""
        bias = self.blobs[1].data if len(self.blobs) > 1 else None
        self.backend.embed.forward(bottom[0].data, self.blobs[0].data, bias, top[0].data,
                                   self._least, self.context.scalars.status, self.backend.scratch)

    def complaint(self, bottom: list[Blob]) -> CaffeError | None:
        """Name the first index outside the table."""
        rows = self.param.embed_param.input_dim
        wanted = f"0 to {rows - 1}" + (", or -1 for padding" if self._least < 0 else "")
        return index_complaint(self, bottom[0], "an index lies outside the table", self._least,
                               rows, wanted, ("bottom", 0), "Make input_dim the size of the "
                               "vocabulary that wrote the data.")

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        """Add the rows' gradients to the table and the bias."""
        if propagate_down[0]:
            raise self.error(NetError, "indices have no gradient", at=("propagate_down",),
                             remedy="Set propagate_down: false.")
        wanted = [blob.diff if self.wants_param_diff(i) else None
                  for i, blob in enumerate(self.blobs)]
        self.backend.embed.backward(bottom[0].data, top[0].diff, wanted[0],
                                    wanted[1] if len(wanted) > 1 else None,
                                    self.backend.scratch)

    def allow_force_backward(self, bottom: int) -> bool:
        """Refuse a gradient for the indices."""
        return False
