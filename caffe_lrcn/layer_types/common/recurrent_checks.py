"""What may go wrong with the bottoms and tops of the recurrent layers, each said in its words."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ...blob import Blob
from ...errors import PrototxtError, ShapeError
from ..base import Arity, Layer

if TYPE_CHECKING:
    from .recurrent import Recurrent

RESHAPE = ("What comes as one batch of T*N needs a Reshape layer in front: reshape_param { shape "
           "{ dim: T dim: N dim: -1 } } for the input, shape { dim: T dim: N } for cont")
SAME_SIZES = ("Give both inputs the same T and N; Reshape layers between must not fix them "
              "(0 keeps a size)")


def check_counts(layer: Recurrent, bottom: list[Blob], top: list[Blob]) -> None:
    """Check the numbers of bottoms and tops, which depend on ``expose_hidden``.

    Raises:
        ShapeError: too few or too many.
    """
    mode = "with" if layer.exposed else "without"
    for kind, blobs, wanted in (("bottom", bottom, Arity(2 + layer.exposed, 3 + layer.exposed)),
                                ("top", top, Arity(1 + layer.exposed, 1 + layer.exposed))):
        if len(blobs) not in wanted:
            raise layer.error(PrototxtError, f"wrong number of {kind}s {mode} expose_hidden",
                              got=len(blobs), wanted=wanted, at=(kind,))


def check_shapes(layer: Recurrent, bottom: list[Blob]) -> None:
    """Check the bottoms' shapes against each other and against what setup fixed.

    Raises:
        ShapeError: an input's size changed, or the bottoms disagree.
    """
    x = bottom[0].shape
    check_steps(layer, x)
    check_cont(layer, x, bottom[1].shape, changed=layer.steps > 0)
    if bottom[0].count_range(2) != layer.input_size:
        raise layer.error(ShapeError, "the input's size changed after setup", got=x,
                          wanted=f"{layer.input_size} elements after (T, N)",
                          remedy="Where T or N changes, Reshape layers must leave both open: "
                                 "0 keeps a size.")
    if layer.has_static:
        static = bottom[2]
        if static.shape[:1] != x[1:2] or static.count_range(1) != layer.static_size:
            turned = x[0] != x[1] and static.shape[:1] == x[:1]
            raise layer.error(ShapeError, "the static input does not fit", got=static.shape,
                              wanted=f"({x[1]}, ...) with {layer.static_size} elements a stream",
                              remedy="It has as many streams as the input has steps: the input and "
                                     "cont may be N x T instead of T x N" if turned else None)
    for blob in bottom[len(bottom) - layer.exposed:]:
        if blob.shape != (1, x[1], layer.units):
            raise layer.error(ShapeError, "an initial state does not fit", got=blob.shape,
                              wanted=(1, x[1], layer.units))


def check_steps(layer: Layer, x: tuple[int, ...]) -> None:
    """Check that the input's shape ``x`` has time steps and streams.

    Raises:
        ShapeError: it has not.
    """
    if len(x) < 2 or x[0] == 0:
        raise layer.error(ShapeError, "the input must begin with time steps and streams", got=x,
                          wanted="(T, N, ...) with T above 0", remedy=RESHAPE)


def check_cont(layer: Layer, x: tuple[int, ...], cont: tuple[int, ...],
               changed: bool = False) -> None:
    """Check that ``cont`` has a mark for each step and stream of the input.

    Args:
        x, cont: the shapes of both.
        changed: they fitted before the inputs got another shape.

    Raises:
        ShapeError: it has not.
    """
    if cont == x[:2]:
        return
    got = f"cont {cont} and input {x}"
    if cont == x[1::-1] and not changed:
        raise layer.error(ShapeError,
                          "cont and the input disagree: one of them is N x T instead of T x N",
                          got=got, wanted="cont (T, N) and input (T, N, ...)",
                          remedy="Transpose one of them: time comes first.")
    swapped = len(cont) > 2 and cont[:2] == x
    raise layer.error(ShapeError, "cont and the input disagree on time steps and streams", got=got,
                      wanted="cont (T, N) and input (T, N, ...)", at=("bottom", 1),
                      remedy="They seem to be swapped: the input comes first" if swapped
                      else RESHAPE if len(cont) == 1 else SAME_SIZES)
