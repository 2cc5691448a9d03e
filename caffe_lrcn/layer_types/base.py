"""The contract of a layer: numbers of bottoms and tops, setup, reshape, forward, backward.

A layer knows shapes and parameters. It does its arithmetic through ``self.backend`` and names no
device. Data of tops and diffs of bottoms are overwritten; diffs of parameters accumulate (the
solver clears them once an iteration).
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from .. import filler
from ..blob import Blob
from ..errors import CaffeError, NetError, ShapeError
from ..rng import generator, philox_key

if TYPE_CHECKING:
    from numpy.random import Generator

    from ..backends import Backend
    from ..backends.scalars import Scalars
    from ..proto.text import Place

TRAIN, TEST = 0, 1


@dataclass(frozen=True)
class Arity:
    """How many blobs a layer takes or makes: ``low`` to ``high`` (None: any number)."""

    low: int
    high: int | None = None

    def __contains__(self, count: int) -> bool:
        return count >= self.low and (self.high is None or count <= self.high)

    def __str__(self) -> str:
        if self.high is None:
            return f"at least {self.low}"
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


def exactly(count: int) -> Arity:
    """Return the arity of exactly ``count`` blobs."""
    return Arity(count, count)


@dataclass(frozen=True)
class Alias:
    """Top ``top`` uses the storage of bottom ``bottom``: values always, gradient if ``diff``."""

    top: int
    bottom: int
    diff: bool = True


@dataclass(frozen=True)
class Cost:
    """What one forward pass of a layer costs.

    Args:
        multiply_adds: products that are summed up.
        activations: numbers in the tops that have memory of their own, and in what the layer
            keeps for its backward pass.
    """

    multiply_adds: int
    activations: int


@dataclass(frozen=True)
class Settings:
    """Choices that hold for a whole net.

    Args:
        strict: reproduce the reference's defects that are mended by default.
        workers: processes that prepare data; 0 uses a thread.
        prefetch: batches that a source prepares ahead.
        frozen: names or patterns (``conv*``) of layers whose parameters are not learnt.
    """

    strict: bool = False
    workers: int = 0
    prefetch: int = 4
    frozen: tuple[str, ...] = ()


@dataclass(frozen=True)
class LayerContext:
    """What a net hands to each of its layers.

    Args:
        backend: where the arithmetic runs.
        phase: ``TRAIN`` (0) or ``TEST`` (1).
        seed: the run's seed; random numbers are keyed by it and the layer's name.
        place: the layer's position in its prototxt, for error messages.
        settings: choices for the whole net.
        scalars: the net's; ops set bits of its status word where they find bad values.
    """

    backend: Backend
    phase: int
    seed: int
    place: Place
    settings: Settings = field(default_factory=Settings)
    scalars: Scalars = None  # type: ignore[assignment]  # set below

    def __post_init__(self) -> None:
        if self.scalars is None:
            object.__setattr__(self, "scalars", self.backend.scalars())


class Layer:
    """Base of all layers.

    Subclasses set ``bottoms`` and ``tops`` and override ``setup``, ``reshape``, ``forward`` and
    ``backward``. ``blobs`` holds the parameters.
    """

    bottoms: ClassVar[Arity] = exactly(1)
    tops: ClassVar[Arity] = exactly(1)
    #: What the bottoms mean, in order, for the error of a wrong number.
    bottoms_are: ClassVar[str | None] = None
    #: A loss layer gets one anonymous top when it declares none, and an implicit weight of 1.
    is_loss: ClassVar[bool] = False
    #: As many bottoms as tops (Convolution: each bottom has its own top).
    same_count: ClassVar[bool] = False
    #: False where a top may not carry its bottom's name.
    allows_in_place: ClassVar[bool] = True
    #: False where a pass needs values on the host, or to be run by Python each time (Filter,
    #: Python): such a pass cannot be recorded once and replayed.
    capturable: ClassVar[bool] = True
    #: The backward pass reads the top's values, which a layer in place on the top would change.
    backward_reads_top: ClassVar[bool] = False
    #: The backward pass reads the bottoms' values (not asked of a layer that works in place).
    backward_reads_bottom: ClassVar[bool] = True

    #: Setting it up runs code of the user's or opens files: who only looks leaves it alone.
    acts_on_setup: ClassVar[bool] = False

    def __init__(self, param: Any, context: LayerContext) -> None:
        self.param, self.context = param, context
        self.name, self.type, self.phase = param.name, param.type, context.phase
        self.backend, self.xp = context.backend, context.backend.xp
        self.blobs: list[Blob] = []

    # What the net asks before it builds -----------------------------------------------------

    @classmethod
    def aliases(cls, param: Any) -> list[Alias]:
        """Return which tops use which bottoms' storage; ``param`` is the LayerParameter."""
        return []

    @classmethod
    def reads_top_again(cls, param: Any) -> bool:
        """Tell whether backward reads the top's values; ``param`` is the LayerParameter."""
        return cls.backward_reads_top

    @classmethod
    def reads_bottom_again(cls, param: Any) -> bool:
        """Tell whether backward reads the bottoms' values; ``param`` is the LayerParameter."""
        return cls.backward_reads_bottom

    def allow_force_backward(self, bottom: int) -> bool:
        """Tell whether ``force_backward`` may ask for the gradient of this bottom."""
        return not (self.is_loss and bottom == 1)

    # What readers ask after reshape ---------------------------------------------------------

    def cost(self, bottom: list[Blob], top: list[Blob]) -> Cost:
        """Return what a forward pass costs, whether or not it has been run."""
        shared = {alias.top for alias in self.aliases(self.param)}
        own = {id(blob): blob.count for index, blob in enumerate(top) if index not in shared
               and all(blob is not other for other in bottom)}
        kept = {id(item): item.count for item in vars(self).values() if isinstance(item, Blob)}
        return Cost(self.multiply_adds(bottom, top), sum(own.values()) + sum(kept.values()))

    def multiply_adds(self, bottom: list[Blob], top: list[Blob]) -> int:
        """Return how many products a forward pass sums up.

        0, the default, fits layers that look up, compare or copy numbers.
        """
        return 0

    # What the net calls ---------------------------------------------------------------------

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Check the definition and make parameters; runs once, before the first ``reshape``."""

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Set the tops' shapes from the bottoms'; runs before every forward pass."""
        raise NotImplementedError

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Compute the tops' data."""
        raise NotImplementedError

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        """Compute diffs of the wanted bottoms; add to the diffs of parameters that learn.

        Raises:
            NetError: the type has no gradient (it does not override this method).
        """
        raise self.error(NetError, f"{self.type} has no gradient",
                         remedy="Say propagate_down: false, or take it out of the loss's path")

    def complaint(self, bottom: list[Blob]) -> CaffeError | None:
        """Return an error that names a value which set a bit of the status word, or None.

        Ops do not wait and cannot raise. This runs on the host after a pass in which something
        was wrong, for all layers in order until one finds it.
        """
        return None

    def state(self) -> dict[str, Any]:
        """Return what an exact resume needs besides the parameters (integers and arrays)."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what ``state`` returned."""

    def close(self) -> None:
        """Release threads, processes and files."""

    # Help for subclasses --------------------------------------------------------------------

    #: One flag a parameter, set by the net: whether its gradient is wanted (lr_mult is not 0).
    param_propagate_down: list[bool] = []

    def wants_param_diff(self, index: int) -> bool:
        """Tell whether the gradient of parameter ``index`` is wanted."""
        return index >= len(self.param_propagate_down) or self.param_propagate_down[index]

    def add_param(self, shape: tuple[int, ...], filler_param: Any | None = None) -> Blob:
        """Append a parameter blob and fill it (``None`` and no given blobs: zeros).

        Values given as ``blobs`` in the prototxt win over the filler.
        """
        index = len(self.blobs)
        blob = Blob(self.backend, shape)
        if index < len(self.param.blobs):
            given = filler.from_blob_proto(self.param.blobs[index])
            if given.size != blob.count:
                raise self.error(ShapeError,
                                 f"blobs[{index}] given in the definition does not fit",
                                 got=given.shape, wanted=shape)
            blob.host_data[...] = given.reshape(shape)
        elif filler_param is not None:
            self.fill(blob, filler_param,
                      generator(self.context.seed, "filler", self.name, index))
        self.blobs.append(blob)
        return blob

    def fill(self, blob: Blob, filler_param: Any, rng: Generator) -> None:
        """Fill ``blob`` as a FillerParameter says; without values it is only checked."""
        place, strict = self.context.place, self.context.settings.strict
        if self.backend.has_values:
            blob.host_data[...] = filler.fill(filler_param, blob.shape, rng, place, strict)
        else:
            filler.check(filler_param, blob.shape, place, strict)

    def random_key(self, *name: object) -> tuple[int, int]:
        """Return the Philox key of random numbers of this layer."""
        return philox_key(self.context.seed, self.phase, self.name, *name)

    def error(self, kind: type[CaffeError], message: str, *, got: object = None,
              wanted: object = None, remedy: str | None = None, at: tuple = ()) -> CaffeError:
        """Return an error of ``kind`` that names this layer and its place.

        Args:
            kind: PrototxtError for what the definition alone says wrong, NetError for the net
                around the layer, ShapeError for bottoms that do not fit, LabelError and DataError
                for values.
            at: path of the field to blame, below the layer, such as ``("lrn_param", "beta")``.
        """
        return kind(message, where=self.context.place.at(*at), layer=self.name, got=got,
                    wanted=wanted, remedy=remedy)
