"""The train net and the test nets that a solver definition asks for, each with its state.

Source: Caffe's Solver (InitTrainNet, InitTestNets).
"""
from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .. import glog
from ..backends import Backend
from ..errors import PrototxtError, UsageError
from ..layer_types.base import Settings
from ..net.collect import OnError, fail
from ..net.freeze import frozen_layers
from ..net.net import Net
from ..net.transfer import Transfer
from ..net.weights import LoadReport, load_into, warn_of_missing
from ..paths import resolve
from ..proto import caffe_pb2
from ..proto.file_kinds import missing_file_remedy
from ..proto.text import NetDef, SolverDef, inline_net, read_net
from ..rng import fresh_seed

_SHARED = ("net", "net_param")  # may serve the test nets, too
_TRAIN_FIELDS = (*_SHARED, "train_net", "train_net_param")


@dataclass
class NetPlan:
    """A net to build: its definition and the state that selects its layers."""

    definition: NetDef
    state: caffe_pb2.NetState


def with_state(solver: SolverDef, level: int | None, stages: Sequence[str]) -> SolverDef:
    """Return a copy of ``solver`` whose train_state has this level and these further stages."""
    param = caffe_pb2.SolverParameter()
    param.CopyFrom(solver.param)
    if level is not None:
        param.train_state.level = level
    # An empty stage can match no rule: Caffe's command line adds one, this does not.
    param.train_state.stage.extend(stage for stage in stages if stage)
    return SolverDef(param, solver.place, solver.changes)


def read_named_net(solver: SolverDef, *path: str | int) -> NetDef:
    """Return the net at a path of the solver's fields, such as ``("test_net", 0)``.

    Raises:
        PrototxtError: the file is missing, or it says something wrong.
    """
    value = getattr(solver.param, str(path[0]))
    value = value[path[1]] if len(path) > 1 else value
    if isinstance(value, str):
        found = resolve(value, solver.place.file)
        try:
            definition = read_net(found)
        except PrototxtError as error:
            if error.where == found:  # the file as a whole: say who asked for it
                error.message += f" (named at {solver.place.at(*path)})"
                folder = os.path.dirname(solver.place.file)
                if folder and not os.path.exists(found) and not os.path.isabs(value):
                    beside = missing_file_remedy(os.path.join(folder, value))
                    error.remedy = f"{error.remedy}. {beside}"
            raise
    else:
        definition = inline_net(solver, *path)
    for change in solver.changes:
        change(definition)
    return definition


def plan_nets(solver: SolverDef, read: Callable[..., NetDef | None] = read_named_net,
              on_error: OnError = fail) -> list[NetPlan]:
    """Return the plans of the train net, which comes first, and of the test nets.

    Args:
        solver: the definition.
        read: returns the net at a path of fields; a net for which it returns None is left out.
        on_error: gets a PrototxtError for no train net or several (each is planned if it returns),
            numbers of test nets, test_iter and test_state that do not fit, and test nets without
            test_interval.

    Raises:
        UsageError: a change fits none of the nets.
    """
    sources = _train_sources(solver, on_error)
    trains = {name: read(solver, name) for name in sources}
    plans = [NetPlan(definition, _state("TRAIN", definition, solver.param.train_state))
             for definition in trains.values() if definition]
    tests = _test_paths(solver, sources, on_error)
    states = list(solver.param.test_state)
    if states and len(states) != len(tests):
        on_error(PrototxtError("test_state must be given for every test net or for none",
                               where=solver.place.at("test_state", 0), got=len(states),
                               wanted=f"0 or {len(tests)}"))
        shared: list[tuple[str | int, ...]] = [(name,) for name in sources if name in _SHARED]
        tests = (tests + shared * len(states))[:len(states)]
    for path, state in zip(tests, states or [caffe_pb2.NetState()] * len(tests), strict=False):
        name = str(path[0])
        definition = trains[name] if name in trains else read(solver, *path)
        if definition:
            plans.append(NetPlan(definition, _state("TEST", definition, state)))
    for change in solver.changes:
        change.finish()
    return plans


def build_nets(solver: SolverDef, backend: Backend, seed: int,
               settings: Settings,
               read: Callable[..., NetDef | None] = read_named_net) -> tuple[Net, list[Net]]:
    """Build the nets of a solver; if one fails, those built before are closed again."""
    nets: list[Net] = []
    try:
        for number, plan in enumerate(plan_nets(solver, read), -1):
            which = "train net" if number < 0 else f"test net (#{number})"
            glog.info(f"Creating {which} from {plan.definition.place.file}")
            nets.append(Net(plan.definition, backend, phase=plan.state.phase, seed=seed,
                            settings=settings, state=plan.state))
            if number < 0 and settings.frozen:
                glog.info(f"Frozen: {', '.join(frozen_layers(nets[0]))}")
    except BaseException:
        for net in nets:
            net.close()
        raise
    return nets[0], nets[1:]


def choose_seed(param: caffe_pb2.SolverParameter) -> int:
    """Return random_seed, or a drawn seed where it is not set."""
    if param.random_seed >= 0:
        return param.random_seed
    seed = fresh_seed()
    glog.info(f"Drew random_seed {seed}")
    return seed


def load_weights(solver: SolverDef, net: Net, test_nets: Sequence[Net],
                 transfer: Transfer) -> list[LoadReport]:
    """Load the files of ``weights`` (each entry may be a comma list) into all nets of a solver.

    Raises:
        WeightsError: a file cannot be read, a layer's parameters do not fit, no layer of the train
            net is in the file, or a rename fits no file.
        UsageError: ``transfer`` says something about files, and there are none.
    """
    names = [name.strip() for item in solver.param.weights for name in item.split(",")]
    reports = []
    for name in filter(None, names):
        path = resolve(name, solver.place.file)
        glog.info(f"Finetuning from {path}")
        report = net.copy_trained_layers_from(path, transfer)
        for line in report.lines():
            glog.info(line)
        for test_net in test_nets:
            load_into(test_net, path, transfer)
        reports.append(report)
    if not reports and transfer != Transfer():
        raise UsageError("renames and ignored mismatches are about files of weights, and there "
                         "are none", remedy="Give them with --weights or in the solver")
    transfer.check(net, reports)
    warn_of_missing(reports)
    return reports


def _train_sources(solver: SolverDef, on_error: OnError) -> list[str]:
    given = [field for field in _TRAIN_FIELDS if solver.param.HasField(field)]
    if len(given) != 1:
        message = ("the solver names several train nets" if given else
                   "the solver names no train net")
        where = solver.place.at(given[1]) if given else solver.place.at()
        on_error(PrototxtError(message, where=where, got=", ".join(given) or None,
                               wanted=f"one of {', '.join(_TRAIN_FIELDS)}"))
    return given


def _state(phase: str, definition: NetDef, own: caffe_pb2.NetState) -> caffe_pb2.NetState:
    state = caffe_pb2.NetState(phase=phase)
    state.MergeFrom(definition.param.state)
    state.MergeFrom(own)
    return state


def _test_paths(solver: SolverDef, sources: Sequence[str],
                on_error: OnError) -> list[tuple[str | int, ...]]:
    """Return where each test net stands; the train net's field where both share a definition."""
    param = solver.param
    paths: list[tuple[str | int, ...]] = [
        (name, i) for name in ("test_net_param", "test_net")
        for i in range(len(getattr(param, name)))]
    generic = [name for name in sources if name in _SHARED]
    wanted = f"at least {len(paths)}" if generic else str(len(paths))
    if len(param.test_iter) < len(paths) or (not generic and len(param.test_iter) > len(paths)):
        on_error(PrototxtError("test_iter must be given once for every test net",
                               where=solver.place.at("test_iter", 0), got=len(param.test_iter),
                               wanted=wanted))
    paths += [(name,) for name in generic] * (len(param.test_iter) - len(paths))
    if paths and param.test_interval <= 0:
        on_error(PrototxtError("there are test nets, but test_interval is not set",
                               where=solver.place.at("test_interval"),
                               remedy="Set test_interval, or remove test_iter."))
    return paths
