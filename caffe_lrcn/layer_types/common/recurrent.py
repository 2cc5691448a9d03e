"""What LSTM, GRU and RNN have in common: bottoms and tops, carried state, and the loops over time.

Bottoms: ``x`` (T, N, ...), ``cont`` (T, N), optionally ``x_static`` (N, ...), and with
``expose_hidden`` the initial states (1, N, D). Tops: the outputs (T, N, D) and, exposed, the
final states (1, N, D). T steps, N streams, D hidden units.

Instead of an unrolled net, one matrix product takes the inputs of all T*N steps, and each step
needs one small product and one fused cell. Source: Caffe's recurrent_layer.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ... import glog
from ...blob import Blob
from ...errors import NetError, PrototxtError, ShapeError, SnapshotError, UsageError
from ..base import Layer
from .checks import require_positive
from .recurrent_checks import check_counts, check_shapes, check_steps

_X, _CONT, _STATIC = range(3)
# Places in ``blobs``; the recurrent matrix follows the static one, if there is one.
_W_INPUT, _BIAS, _W_STATIC = range(3)


class Recurrent(Layer):
    """Base of the recurrent layers.

    Subclasses say which states they carry, how wide a step's pre-activation is, and compute one
    step of their cell. Without ``expose_hidden`` the last state of a forward pass is the initial
    state of the next, whatever its phase or epoch; only ``cont`` = 0 and ``reset`` clear it, and
    it restarts at zero when N changes. Gradients do not cross forward passes. ``debug_info`` is
    accepted and shows nothing more: there is no inner net.
    """

    allows_in_place = False
    bottoms_are = ("the input (T x N x …), cont (T x N, 0 where a sequence begins), and x_static "
                   "(N x …) if there is one")
    #: Names of the carried states; the first is the hidden state ``h``.
    state_names: ClassVar[tuple[str, ...]]
    #: Width of a step's pre-activation, in units of D.
    gates: ClassVar[int]
    #: Number of parameters without the static matrix.
    param_count: ClassVar[int]
    #: Set by callers who know that x_static is what it was (rows moved by ``reorder`` apart): its
    #: product with the weights is then not computed again.
    static_is_known = False
    #: T of the last ``reshape``; 0 before.
    steps = 0
    _warned = False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Check the definition and make the parameters."""
        param = self.param.recurrent_param
        self.units = param.num_output
        require_positive(self, "recurrent_param", "num_output")
        self.exposed = len(self.state_names) if param.expose_hidden else 0
        check_counts(self, bottom, top)
        self.has_static = len(bottom) == 3 + self.exposed
        check_steps(self, bottom[_X].shape)
        self.input_size = bottom[_X].count_range(2)
        self.static_size = bottom[_STATIC].count_range(1) if self.has_static else 0
        self._make_params()
        self._make_buffers()

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Set the tops' shapes, with any T; a new N clears the carried state, with a warning."""
        check_shapes(self, bottom)
        (self.steps, n), d = bottom[_X].shape[:2], self.units
        top[0].reshape(self.steps, n, d)
        for blob in top[1:]:
            blob.reshape(1, n, d)
        self.pre.reshape(self.steps, n, self.gates * d)
        self.h_cont.reshape(self.steps, n, d)
        self.static.reshape(n, self.gates * d)
        self.dh.reshape(n, d)
        for name in self.state_names:
            self.initial[name].reshape(n, d)
            if self.carried[name].shape != (n, d):
                self._warn_of_lost_state(self.carried[name], n)
                self.carried[name].reshape(n, d)
                self.carried[name].data.fill(0)

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Run the cell over all steps, starting from the carried or the given state."""
        for position, name in enumerate(self.state_names):
            self.initial[name].data[...] = (bottom[position - self.exposed].data[0]
                                            if self.exposed else self.carried[name].data)
        self._project_inputs(bottom)
        hidden = self.hidden(top)
        recurrent, blas, scratch = self.backend.recurrent, self.backend.blas, self.backend.scratch
        cont, pre, h_cont = bottom[_CONT].data, self.pre.data, self.h_cont.data
        product = self.product.data
        w_hidden = self.blobs[self.w_hidden].data
        for t in range(self.steps):
            h_prev = hidden[t - 1] if t else self.initial["h"].data
            recurrent.scale_rows(h_prev, cont[t], h_cont[t])
            blas.gemm(h_cont[t], w_hidden, product[t], scratch, trans_b=True, accumulate=True)
            self.step_forward(t, cont[t], pre[t], hidden[t])
        self.finish_forward(top)
        for position, name in enumerate(self.state_names):
            target = top[1 + position].data[0] if self.exposed else self.carried[name].data
            target[...] = self.last_state(name, hidden)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        """Go back through the steps of the last forward pass (truncated there)."""
        if propagate_down[_CONT]:
            raise self.error(NetError, "cont has no gradient", at=("propagate_down",),
                             remedy="Let cont come from a data layer, or set propagate_down: "
                                    "false for it.")
        recurrent, blas, scratch = self.backend.recurrent, self.backend.blas, self.backend.scratch
        from_output = self.begin_backward(top)
        cont, d_pre, d_product = bottom[_CONT].data, self.pre.diff, self.product.diff
        w_hidden, carry, dh = self.blobs[self.w_hidden].data, self.dh.diff, from_output[-1]
        for t in reversed(range(self.steps)):
            self.step_backward(t, cont[t], dh, d_pre[t])
            if t:
                blas.gemm(d_product[t], w_hidden, carry, scratch)
                self.step_carry(t, dh, carry)
                recurrent.scale_rows(carry, cont[t], carry)
                dh = self.xp.add(carry, from_output[t - 1], out=self.dh.data)
        self._input_gradients(propagate_down, bottom)

    def multiply_adds(self, bottom: list[Blob], top: list[Blob]) -> int:
        """Count each matrix once per step and stream, that of the static input once per stream."""
        steps, streams = top[0].shape[:2]
        return sum(streams * blob.count * (1 if self.has_static and index == _W_STATIC else steps)
                   for index, blob in enumerate(self.blobs) if len(blob.shape) == 2)

    # The state that is carried from one forward pass to the next ----------------------------

    def reset(self) -> None:
        """Forget the carried state: the next forward pass starts from zero."""
        for blob in self.carried.values():
            blob.data.fill(0)

    def reorder(self, rows: Any) -> None:
        """Let stream n go on where stream ``rows[n]`` of the last forward pass stopped.

        The product with x_static moves along; the bottoms' rows are the caller's business.

        Args:
            rows: (N',) indices into the old N streams, as an array of the backend; the next
                forward pass takes N' streams. A stream may occur any number of times.
        """
        moved = [*self.carried.values(), *([self.static] if self.has_static else [])]
        for blob in moved:
            chosen = blob.data[rows]
            blob.reshape(*chosen.shape)
            blob.data[...] = chosen

    def state(self) -> dict[str, Any]:
        """Return the carried states as arrays (N, D) by name; nothing if they are exposed."""
        if self.exposed:
            return {}
        return {name: np.array(self.backend.download(blob.data))
                for name, blob in self.carried.items()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Replace the carried states; the next forward pass starts from them.

        Args:
            state: an array (N, D) for each state, by name; N is that of the last ``reshape``.

        Raises:
            UsageError: other names, or the states come from bottoms (``expose_hidden``).
            ShapeError: an array does not fit.
        """
        if self.exposed:
            raise self.error(UsageError, "the states are not carried: they are bottoms",
                             got="expose_hidden: true", remedy="Set the blobs of these bottoms.")
        if set(state) != set(self.state_names):
            raise self.error(UsageError, f"the states of {self.type} have other names",
                             got=", ".join(state) or "none", wanted=", ".join(self.state_names))
        shape = self.initial[self.state_names[0]].shape
        arrays = {name: np.asarray(values) for name, values in state.items()}
        for name, values in arrays.items():
            if values.shape != shape:
                raise self.error(ShapeError, f"the state '{name}' does not fit", got=values.shape,
                                 wanted=f"{shape}, (N, {self.units})",
                                 remedy="A state belongs to N streams: reshape the inputs first.")
        for name, values in arrays.items():
            self.carried[name].host_data[...] = values

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what ``state`` returned; its N counts as the N of the last forward pass.

        Raises:
            SnapshotError: the states are missing, or of another number of units.
        """
        for name in () if self.exposed else self.state_names:
            shape = np.shape(state.get(name, ()))
            if len(shape) != 2 or shape[1] != self.units:
                raise self.error(SnapshotError, f"the saved state '{name}' does not fit", got=shape,
                                 wanted=f"(N, {self.units})",
                                 remedy="Resume with the net that wrote the snapshot.")
            self.carried[name].reshape(*shape)
            self.carried[name].host_data[...] = state[name]

    def _warn_of_lost_state(self, carried: Blob, streams: int) -> None:
        was_run = len(carried.shape) == 2 and self.backend.has_values
        if was_run and not self._warned and carried.read_data().any():
            self._warned = True
            glog.warning("layer '%s': N, the number of streams, changed from %d to %d, so the "
                         "carried state starts from zero (said once)", self.name,
                         carried.shape[0], streams)

    # What a cell defines --------------------------------------------------------------------

    def hidden(self, top: list[Blob]) -> Any:
        """Return the array (T, N, D) that the steps write their hidden states to."""
        raise NotImplementedError

    def step_forward(self, t: int, cont: Any, pre: Any, h: Any) -> None:
        """Compute step ``t`` from its pre-activation ``pre`` (N, gates*D) into ``h`` (N, D)."""
        raise NotImplementedError

    def finish_forward(self, top: list[Blob]) -> None:
        """Compute what is left once all hidden states are known."""

    def begin_backward(self, top: list[Blob]) -> Any:
        """Return the gradient (T, N, D) that the hidden states get from the output."""
        raise NotImplementedError

    def step_backward(self, t: int, cont: Any, dh: Any, d_pre: Any) -> None:
        """Overwrite ``d_pre`` (N, gates*D) with the gradient of step ``t``, given ``dh``."""
        raise NotImplementedError

    def step_carry(self, t: int, dh: Any, carry: Any) -> None:
        """Add to ``carry`` the gradient that step ``t``'s h_cont gets but through the product."""

    def last_state(self, name: str, hidden: Any) -> Any:
        """Return the state ``name`` (N, D) after the last step."""
        return hidden[-1]

    def allow_force_backward(self, bottom: int) -> bool:
        """Refuse a gradient for ``cont``."""
        return bottom != _CONT

    # Parts of setup and reshape -------------------------------------------------------------

    def _make_params(self) -> None:
        param, width = self.param.recurrent_param, self.gates * self.units
        expected = self.param_count + self.has_static
        if len(self.param.blobs) not in (0, expected):
            raise self.error(PrototxtError, "wrong number of blobs given in the definition",
                             got=len(self.param.blobs), wanted=expected, at=("blobs",))
        self.add_param((width, self.input_size), param.weight_filler)
        self.add_param((width,), param.bias_filler)
        if self.has_static:
            self.add_param((width, self.static_size), param.weight_filler)
        self.w_hidden = len(self.blobs)
        self.add_param((width, self.units), param.weight_filler)

    def _make_buffers(self) -> None:
        backend = self.backend
        self.pre = Blob(backend)  # activations of all steps; diff: of the pre-activations
        self.product = self.pre  # where W_h h_cont is added to; a cell may keep it apart
        self.h_cont = Blob(backend)  # cont_t h_{t-1} of all steps
        self.static = Blob(backend)  # the static input's share; diff: summed over the steps
        self.dh = Blob(backend)  # data: gradient of a step's h; diff: what the step after it gives
        self.initial = {name: Blob(backend) for name in self.state_names}
        self.carried = {name: Blob(backend) for name in self.state_names}

    # Parts of forward and backward ----------------------------------------------------------

    def _project_inputs(self, bottom: list[Blob]) -> None:
        """Set the pre-activations of all steps to all but their recurrent term."""
        gemm, scratch, width = self.backend.blas.gemm, self.backend.scratch, self.pre.shape[2]
        shared = self.blobs[_BIAS].data
        if self.has_static:
            if not self.static_is_known:
                flat = bottom[_STATIC].data.reshape(-1, self.static_size)
                gemm(flat, self.blobs[_W_STATIC].data, self.static.data, scratch,
                     trans_b=True)
                self.xp.add(self.static.data, shared, out=self.static.data)
            shared = self.static.data
        self.pre.data[...] = shared
        gemm(bottom[_X].data.reshape(-1, self.input_size), self.blobs[_W_INPUT].data,
             self.pre.data.reshape(-1, width), scratch, trans_b=True, accumulate=True)

    def _input_gradients(self, propagate_down: list[bool], bottom: list[Blob]) -> None:
        """Turn the pre-activations' gradients into those of parameters and bottoms."""
        gemm, scratch = self.backend.blas.gemm, self.backend.scratch
        rows = self.pre.diff.reshape(-1, self.pre.shape[2])
        x = bottom[_X]
        self.accumulate(_W_INPUT, rows, x.data.reshape(-1, self.input_size))
        self.accumulate(self.w_hidden, self.product.diff.reshape(rows.shape),
                        self.h_cont.data.reshape(-1, self.units))
        if propagate_down[_X]:
            gemm(rows, self.blobs[_W_INPUT].data, x.diff.reshape(-1, self.input_size), scratch)
        if self.has_static:
            static = bottom[_STATIC]
            rows = self.xp.sum(self.pre.diff, axis=0, out=self.static.diff)
            self.accumulate(_W_STATIC, rows, static.data.reshape(-1, self.static_size))
            if propagate_down[_STATIC]:
                gemm(rows, self.blobs[_W_STATIC].data, static.diff.reshape(-1, self.static_size),
                     scratch)
        self.accumulate_bias(_BIAS, rows)
        # CAFFE-QUIRK: the exposed initial states get no gradient, and gradients of the exposed
        # final states are ignored.
        for position in range(len(bottom) - self.exposed, len(bottom)):
            if propagate_down[position]:
                bottom[position].diff.fill(0)

    def accumulate(self, index: int, d_out: Any, x: Any) -> None:
        """Add the gradient ``d_out^T x`` of matrix ``index``."""
        # CAFFE-QUIRK: also with lr_mult: 0, for the norm that clip_gradients looks at counts it.
        self.backend.blas.gemm(d_out, x, self.blobs[index].diff, self.backend.scratch,
                               trans_a=True, accumulate=True)

    def accumulate_bias(self, index: int, d_out: Any) -> None:
        """Add the gradient of bias ``index``: the sum of the rows of ``d_out``."""
        self.backend.elementwise.sum_to_channels(d_out[:, :, None], self.blobs[index].diff,
                                                 self.backend.scratch)
