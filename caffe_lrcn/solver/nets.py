"""The train net and the test nets that a solver definition asks for, each with its state.

Source: Caffe's Solver (InitTrainNet, InitTestNets).
"""
from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from .. import glog
from ..backends import Backend
from ..errors import PrototxtError
from ..layer_types.base import Settings
from ..net.net import Net
from ..paths import resolve
from ..proto import caffe_pb2
from ..proto.file_kinds import missing_file_remedy
from ..proto.text import NetDef, SolverDef, inline_net, read_net
from ..rng import fresh_seed

_TRAIN_FIELDS = ("net", "net_param", "train_net", "train_net_param")


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
    return SolverDef(param, solver.place)


def plan_nets(solver: SolverDef) -> tuple[NetPlan, list[NetPlan]]:
    """Return the plans of the train net and of the test nets.

    Raises:
        PrototxtError: no train net or several; numbers of test nets, test_iter and test_state
            that do not fit; test nets without test_interval; a net that cannot be read.
    """
    source = _train_source(solver)
    definition = _definition(solver, source)
    train = NetPlan(definition, _state("TRAIN", definition, solver.param.train_state))
    test_definitions = _test_definitions(solver, source, definition)
    states = list(solver.param.test_state)
    if states and len(states) != len(test_definitions):
        raise PrototxtError("test_state must be given for every test net or for none",
                            where=solver.place.at("test_state", 0), got=len(states),
                            wanted=f"0 or {len(test_definitions)}")
    states = states or [caffe_pb2.NetState()] * len(test_definitions)
    return train, [NetPlan(test, _state("TEST", test, state))
                   for test, state in zip(test_definitions, states, strict=True)]


def build_nets(solver: SolverDef, backend: Backend, seed: int,
               settings: Settings) -> tuple[Net, list[Net]]:
    """Build the nets of a solver; if one fails, those built before are closed again."""
    train_plan, test_plans = plan_nets(solver)
    nets: list[Net] = []
    try:
        for number, plan in enumerate((train_plan, *test_plans), -1):
            which = "train net" if number < 0 else f"test net (#{number})"
            glog.info(f"Creating {which} from {plan.definition.place.file}")
            nets.append(Net(plan.definition, backend, phase=plan.state.phase, seed=seed,
                            settings=settings, state=plan.state))
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


def load_weights(solver: SolverDef, net: Net, test_nets: Sequence[Net]) -> None:
    """Load the files of ``weights`` (each entry may be a comma list) into all nets of a solver.

    Raises:
        WeightsError: a file cannot be read, or a layer's parameters do not fit.
    """
    names = [name.strip() for item in solver.param.weights for name in item.split(",")]
    for name in filter(None, names):
        path = resolve(name, solver.place.file)
        glog.info(f"Finetuning from {path}")
        report = net.copy_trained_layers_from(path)
        for line in report.lines():
            glog.info(line)
        if not report.loaded:
            glog.warning(f"No layer of the net is named in {path}")
        for test_net in test_nets:
            test_net.copy_trained_layers_from(path)


def _train_source(solver: SolverDef) -> str:
    given = [field for field in _TRAIN_FIELDS if solver.param.HasField(field)]
    if len(given) == 1:
        return given[0]
    message = ("the solver names several train nets" if given else
               "the solver names no train net")
    where = solver.place.at(given[1]) if given else solver.place.at()
    raise PrototxtError(message, where=where, got=", ".join(given) or None,
                        wanted=f"one of {', '.join(_TRAIN_FIELDS)}")


def _definition(solver: SolverDef, *path: str | int) -> NetDef:
    value = getattr(solver.param, str(path[0]))
    value = value[path[1]] if len(path) > 1 else value
    if isinstance(value, str):
        found = resolve(value, solver.place.file)
        try:
            return read_net(found)
        except PrototxtError as error:
            if error.where == found:  # the file as a whole: say who asked for it
                error.message += f" (named at {solver.place.at(*path)})"
                folder = os.path.dirname(solver.place.file)
                if folder and not os.path.exists(found) and not os.path.isabs(value):
                    beside = missing_file_remedy(os.path.join(folder, value))
                    error.remedy = f"{error.remedy}. {beside}"
            raise
    return inline_net(solver, *path)


def _state(phase: str, definition: NetDef, own: caffe_pb2.NetState) -> caffe_pb2.NetState:
    state = caffe_pb2.NetState(phase=phase)
    state.MergeFrom(definition.param.state)
    state.MergeFrom(own)
    return state


def _test_definitions(solver: SolverDef, train_source: str, train: NetDef) -> list[NetDef]:
    param = solver.param
    tests = [_definition(solver, "test_net_param", i) for i in range(len(param.test_net_param))]
    tests += [_definition(solver, "test_net", i) for i in range(len(param.test_net))]
    generic = train_source in ("net", "net_param")
    wanted = f"at least {len(tests)}" if generic else str(len(tests))
    if len(param.test_iter) < len(tests) or (not generic and len(param.test_iter) > len(tests)):
        raise PrototxtError("test_iter must be given once for every test net",
                            where=solver.place.at("test_iter", 0), got=len(param.test_iter),
                            wanted=wanted)
    tests += [train] * (len(param.test_iter) - len(tests))
    if tests and param.test_interval <= 0:
        raise PrototxtError("there are test nets, but test_interval is not set",
                            where=solver.place.at("test_interval"),
                            remedy="Set test_interval, or remove test_iter.")
    return tests
