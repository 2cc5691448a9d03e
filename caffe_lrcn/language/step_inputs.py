"""What the inputs of a step net are for, found in its definition."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..blob import Blob
from ..errors import NetError, ShapeError, UsageError
from ..layer_types.common.recurrent import Recurrent
from ..layer_types.embed import Embed
from ..layer_types.split import Split
from ..net.build import Node
from ..net.net import Net
from .context import Context, Given

_CONT = 1  # place of cont among the bottoms of a recurrent layer; x_static follows
_STATE = ""  # stands for recurrent states among the inputs that a blob depends on


@dataclass(frozen=True)
class StepInputs:
    """The inputs of a net that takes one word of N sentences at a time.

    Args:
        word: takes the word before, (1, N): what an Embed layer reads.
        cont: takes 0 where a sentence begins, else 1, (1, N): what recurrent layers take as cont.
        states: input -> top: initial states (1, N, D) of recurrent layers with ``expose_hidden``,
            and the states after the step.
        rest: input -> shape of a sentence's values, of all other inputs.
        per_step: those of the rest that are laid out as one step, (1, N, ...) instead of (N, ...).
        fixed: per recurrent layer, whether its x_static depends on nothing but the rest.
        reads: per recurrent layer, whether its cont is another input than ``cont``, so that it
            may be at work while a decoder sleeps.
    """

    word: str
    cont: str
    states: Mapping[str, Blob]
    rest: Mapping[str, tuple[int, ...]]
    per_step: frozenset[str]
    fixed: tuple[bool, ...]
    reads: tuple[bool, ...]

    def shape(self, name: str, rows: int) -> tuple[int, ...]:
        """Return the shape of one of the rest for a batch of ``rows`` sentences."""
        return (1, rows, *self.rest[name]) if name in self.per_step else (rows, *self.rest[name])

    def context(self, given: Given) -> Context:
        """Return what sentences are about in the form that the net takes.

        Args:
            given: a Context; or input -> (N, ...) values for every word; or these values alone,
                where the net has one such input. A net without any takes N rows of anything.

        Raises:
            ShapeError: the values do not fit the inputs.
            UsageError: they hold NaN or infinity.
        """
        if not isinstance(given, Context):
            given = self._held(given)
        missing = sorted(self.rest.keys() - given.held.keys())
        named = {*given.held, *given.read, *given.first}
        steps = {*given.read, *given.first} - {self.cont}
        unknown = sorted({*given.held, *steps} - {*self.rest, *self.states})
        if missing or unknown or steps & self.states.keys():
            raise ShapeError("the values are not those of the decoder's inputs",
                             got=", ".join(sorted(named)) or "none",
                             wanted=", ".join(sorted(self.rest)) or "none")
        if given.read and given.held.keys() & self.states:
            raise UsageError("a sentence that reads steps begins without a state")
        held, first = ({name: self._checked(name, np.asarray(values), given.count)
                        for name, values in part.items()} for part in (given.held, given.first))
        read = {name: [self._checked(name, np.asarray(values)) for values in arrays]
                for name, arrays in given.read.items()}
        context = Context(given.count, held, read, first)
        for name, arrays in read.items():
            if [len(values) for values in arrays] != context.steps().tolist():
                raise ShapeError("the inputs differ in the steps before the words",
                                 got=f"of '{name}' {[len(values) for values in arrays]}",
                                 wanted=context.steps().tolist())
        return context

    def _held(self, given: np.ndarray | Mapping[str, np.ndarray]) -> Context:
        if isinstance(given, Mapping):
            return Context(len(next(iter(given.values()), ())), given)
        values = np.asarray(given)
        if len(self.rest) == 1:
            (name,) = self.rest
            return Context(len(values), {name: values})
        if self.rest:
            raise ShapeError("the decoder takes several inputs", got=f"an array {values.shape}",
                             wanted=f"a mapping of {', '.join(sorted(self.rest))} to arrays")
        self._checked("", values)
        return Context(len(values))

    def _checked(self, name: str, values: np.ndarray, count: int | None = None) -> np.ndarray:
        wanted = () if name == self.cont else self.rest.get(name)
        if name in self.states:
            wanted = self.states[name].shape[2:]
        fits = values.ndim > 1 if wanted is None else values.shape[1:] == wanted
        if not fits or values.ndim == 0 or count not in (None, len(values)):
            rows = "N" if count in (None, len(values)) else str(count)
            sizes = ", ".join((rows, *map(str, ("F",) if wanted is None else wanted)))
            only = len(self.rest) < 2
            raise ShapeError(
                "the features do not fit the decoder" if only else
                f"the values of '{name}' do not fit the decoder", got=values.shape,
                wanted=f"({sizes})",
                remedy="Take them from the picture net of the same weights." if only else None)
        if not np.isfinite(values).all():
            raise UsageError("the features hold NaN or infinity")
        return values


def find_inputs(net: Net, file: object) -> StepInputs:
    """Return what the inputs of a net are for.

    The word input is the one that Embed layers read, ``cont`` the one that recurrent layers take;
    where there are several of them, the one called ``input_sentence`` or ``cont_sentence``.

    Args:
        net: the net, built for one step.
        file: its definition, for messages.

    Raises:
        NetError: there is no such input, or a state that is neither carried nor an input.
        ShapeError: the net takes more than one word at a time.
    """
    sources = _sources(net)
    layers = list(zip(net.nodes, sources, strict=True))
    recurrent = [(node, found) for node, found in layers if isinstance(node.layer, Recurrent)]
    word = _one_of([found[0] for node, found in layers if isinstance(node.layer, Embed)],
                   "input_sentence", net, file, "an Embed layer reads")
    cont = _one_of([found[_CONT] for _, found in recurrent],
                   "cont_sentence", net, file, "recurrent layers take as cont")
    shape = net.blobs[word].shape
    if shape[:1] != (1,) or len(shape) != 2:
        raise ShapeError("a decoder takes one word at a time", where=file, got=f"{word} {shape}",
                         wanted="(1, N)")
    states = _states(net, [node for node, _ in recurrent], file)
    changing = {word, cont, _STATE, *states}
    rest = {name: net.blobs[name].shape for name in net.inputs if name not in changing}
    per_step = frozenset(name for name, given in rest.items() if given[:2] == shape)
    return StepInputs(
        word, cont, states, per_step=per_step,
        rest={name: given[2 if name in per_step else 1:] for name, given in rest.items()},
        fixed=tuple(node.layer.has_static and not changing & found[_CONT + 1]
                    for node, found in recurrent),
        reads=tuple(cont not in found[_CONT] for _, found in recurrent))


def _sources(net: Net) -> list[list[frozenset[str]]]:
    """Return for each layer, for each bottom, the inputs that it depends on.

    What depends on a recurrent state has the source ``_STATE``, too.
    """
    known = {name: frozenset([name]) for name in net.inputs}
    found = []
    for node in net.nodes:
        found.append([known[name] for name in node.bottom_names])
        own = [frozenset([_STATE])] if isinstance(node.layer, Recurrent) else []
        if node.bottom_names:
            known.update(dict.fromkeys(node.top_names, frozenset().union(*found[-1], *own)))
        else:  # an input, or constant
            known = {**dict.fromkeys(node.top_names, frozenset()), **known}
    return found


def _states(net: Net, recurrent: Iterable[Node], file: object) -> dict[str, Blob]:
    """Return the inputs that are initial states, with the tops that follow them."""
    inputs = {name: name for name in net.inputs}  # the inputs, and the copies made of them
    for node in net.nodes:
        if isinstance(node.layer, Split) and node.bottom_names[0] in inputs:
            inputs.update(dict.fromkeys(node.top_names, inputs[node.bottom_names[0]]))
    states = {}
    for node in recurrent:
        first = len(node.bottom) - node.layer.exposed
        for name, top in zip(node.bottom_names[first:], node.top[1:], strict=True):
            if name not in inputs:
                raise NetError("the net is not a decoder of sentences", where=file,
                               got=f"layer '{node.layer.name}' takes its state from '{name}'",
                               wanted="an input of the net, or expose_hidden: false")
            states[inputs[name]] = top
    return states


def _one_of(found: Iterable[frozenset[str]], usual: str, net: Net, file: object,
            what: str) -> str:
    names = sorted(frozenset().union(*found) - {_STATE})
    if len(names) != 1 and usual not in names:
        raise NetError("the net is not a decoder of sentences", where=file,
                       got=f"inputs {', '.join(net.inputs) or 'none'}; those that {what}: "
                           f"{', '.join(names) or 'none'}",
                       wanted=f"one input that {what}, or one of them called {usual}")
    return names[0] if len(names) == 1 else usual
