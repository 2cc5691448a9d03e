"""From roles to what a decoder takes: the three architectures of Figure 5."""
from __future__ import annotations

import numpy as np

from ...errors import DataError, NetError, UsageError
from ...language.context import Context
from ...language.step_net import StepNet
from ...layer_types.embed import Embed
from .roles import Roles

#: architecture -> its deploy definition in the folder of a data set.
DEPLOY = {"a": "encoder_decoder.deploy.prototxt", "b": "decoder.deploy.prototxt",
          "c": "decoder.deploy.prototxt"}
_SYMBOLS, _READS, _HAND_OVER, _ROLES = "input_slots", "cont_slots", "hand_over", "roles"


def architecture_of(net: StepNet, wanted: str | None, file: object) -> str:
    """Return the architecture of a net: ``a``, ``b`` or ``c``.

    Args:
        net: the decoder's.
        wanted: what the user says; only that tells b from c.
        file: the definition, for messages.

    Raises:
        NetError: the net is none of them.
        UsageError: it is another one than wanted, or b and c cannot be told apart.
    """
    inputs = sorted(net.inputs.rest)
    if inputs == [_READS, _HAND_OVER, _SYMBOLS]:
        known = ("a",)
    elif inputs == [_ROLES]:
        known = ("b", "c")
    else:
        raise NetError("the net does not take roles", where=file, got=", ".join(inputs) or "none",
                       wanted=f"the inputs {_READS}, {_HAND_OVER} and {_SYMBOLS} (architecture a), "
                              f"or {_ROLES} (b, c), beside words and cont")
    if wanted is None and len(known) > 1:
        raise UsageError("the net does not tell what roles it was trained with",
                         wanted="--architecture b (one-hot vectors) or c (probabilities)")
    if wanted is not None and wanted not in known:
        raise UsageError(f"the net is not of architecture {wanted}", where=file,
                         got=" or ".join(known), wanted=wanted)
    return wanted or known[0]


def role_context(net: StepNet, roles: Roles, architecture: str, file: object) -> Context:
    """Return what sentences about clips need to know.

    Args:
        net: the decoder's.
        roles: N clips.
        architecture: ``a``: labels as symbols, one a step, the last of them in the step of the
            first word; ``b``: one-hot vectors at each word; ``c``: probabilities at each word.
        file: the definition, for messages.

    Raises:
        DataError: the net was made for another number of labels, or there are no probabilities.
    """
    known = _states(net) if architecture == "a" else net.inputs.rest[_ROLES]
    if known != (roles.states,):
        raise DataError("the net was made for other roles", where=roles.path,
                        got=f"{roles.states} labels of all slots", wanted=f"{known[0]}, as {file} "
                        "says", remedy="Name roles of the slots that the net was trained with")
    if architecture == "a":
        return _symbols_first(roles.tokens(), net.inputs.cont)
    return Context(len(roles.ids), {_ROLES: roles.one_hot() if architecture == "b"
                                    else roles.marginals()})


def _symbols_first(symbols: np.ndarray, cont: str) -> Context:
    """Return the context of (a) for symbols (N, T): the decoder sleeps in the first T - 1 steps."""
    count, slots = symbols.shape
    ones, before = np.ones(count), np.zeros((count, slots - 1))
    goes_on = before.copy()
    goes_on[:, 1:] = 1
    return Context(
        count,
        held={_READS: ones, _SYMBOLS: -ones, _HAND_OVER: 0 * ones},
        read={_READS: list(goes_on), _SYMBOLS: list(symbols[:, :-1]), cont: list(before)},
        first={_READS: ones * (slots > 1), _SYMBOLS: symbols[:, -1], _HAND_OVER: ones,
               cont: 0 * ones})


def _states(net: StepNet) -> tuple[int]:
    """Return how many symbols the encoder knows."""
    return next((node.layer.blobs[0].shape[0],) for node in net.net.nodes
                if isinstance(node.layer, Embed) and node.bottom_names[0] == _SYMBOLS)
