"""``caffe.SGDSolver`` and the other solvers."""
from __future__ import annotations

import numpy as np
import pytest

import caffe_lrcn as caffe
from caffe_lrcn.pycaffe.solver import SOLVERS
from tests.pycaffe.nets import NOISE, write, write_solver


@pytest.mark.parametrize("kind", SOLVERS)
def test_the_class_decides_the_rule(tmp_path, kind):
    # CAFFE-QUIRK: the type in the file is not looked at.
    solver = getattr(caffe, f"{kind}Solver")(write_solver(tmp_path, 'type: "Nonsense"'))
    before = solver.net.params["fc"][0].data.copy()
    solver.step(1)
    assert solver.param.type == kind and solver.iter == 1
    assert not np.array_equal(before, solver.net.params["fc"][0].data)


def test_get_solver_takes_the_class_of_the_file(tmp_path):
    assert type(caffe.get_solver(write_solver(tmp_path))) is caffe.SGDSolver
    assert type(caffe.get_solver(write_solver(tmp_path, 'type: "Adam"'))) is caffe.AdamSolver
    with pytest.raises(RuntimeError, match="unknown solver type"):
        caffe.get_solver(write_solver(tmp_path, 'type: "Adm"'))
    with pytest.raises(RuntimeError, match="no such solver file"):
        caffe.SGDSolver(str(tmp_path / "none.prototxt"))


def test_nets_iterations_and_parameters(tmp_path):
    solver = caffe.SGDSolver(write_solver(tmp_path))
    assert isinstance(solver.net, caffe.Net) and len(solver.test_nets) == 1
    assert solver.iter == 0 and solver.param.max_iter == 4 and solver.param.display == 0
    assert solver.param.layer_wise_reduce and solver.lr == pytest.approx(0.1)
    solver.param.base_lr = 0.2
    assert solver.lr == pytest.approx(0.2)
    solver.step(2)
    assert solver.iter == 2 and solver.lr == pytest.approx(0.1)


def test_solve_snapshot_and_restore(tmp_path):
    solver = caffe.SGDSolver(write_solver(tmp_path))
    solver.step(2)
    solver.snapshot()
    solver.solve()
    done = solver.net.params["fc"][0].data.copy()
    assert solver.iter == 4
    again = caffe.SGDSolver(write_solver(tmp_path))
    again.restore(str(tmp_path / "snap_iter_2.solverstate"))
    assert again.iter == 2
    again.step(2)
    np.testing.assert_array_equal(again.net.params["fc"][0].data, done)
    third = caffe.SGDSolver(write_solver(tmp_path))
    third.solve(str(tmp_path / "snap_iter_2.solverstate"))
    np.testing.assert_array_equal(third.net.params["fc"][0].data, done)


def test_a_loop_written_by_hand_equals_step(tmp_path):
    auto, hand = (caffe.SGDSolver(write_solver(tmp_path)) for _ in range(2))
    auto.step(3)
    for _ in range(3):
        hand.net.clear_param_diffs()
        hand.net.forward()
        hand.net.backward()
        hand.apply_update()
    assert hand.iter == 3
    np.testing.assert_array_equal(hand.net.params["fc"][0].data, auto.net.params["fc"][0].data)


def test_share_weights_aliases(tmp_path):
    solver = caffe.SGDSolver(write_solver(tmp_path))
    net = caffe.Net(write(tmp_path, NOISE), caffe.TEST)
    solver.share_weights(net)
    solver.net.params["fc"][0].data[...] = 4
    np.testing.assert_array_equal(net.params["fc"][0].data, 4)


def test_callbacks_run_before_forward_and_before_the_update(tmp_path):
    solver, seen = caffe.SGDSolver(write_solver(tmp_path)), []
    diff = solver.net.params["fc"][0].diff
    solver.add_callback(lambda: seen.append(("start", solver.iter, bool(diff.any()))),
                        lambda: seen.append(("ready", solver.iter, bool(diff.any()))))
    solver.step(2)
    assert seen == [("start", 0, False), ("ready", 0, True),
                    ("start", 1, False), ("ready", 1, True)]


def test_a_seed_for_solvers_without_one(tmp_path):
    path = write_solver(tmp_path)
    text = (tmp_path / "solver.prototxt").read_text().replace("random_seed: 7", "")
    (tmp_path / "solver.prototxt").write_text(text)
    caffe.set_random_seed(5)
    try:
        weights = [caffe.SGDSolver(path).net.params["fc"][0].data for _ in range(2)]
    finally:
        caffe.pycaffe.modes._modes.seed = None
    np.testing.assert_array_equal(*weights)


def test_frozen_layers_and_weights_under_other_names(tmp_path):
    solver = caffe.SGDSolver(write_solver(tmp_path), freeze=["f*"])
    before = solver.net.params["fc"][0].data.copy()
    solver.step(2)
    assert np.array_equal(before, solver.net.params["fc"][0].data)
    with pytest.raises(RuntimeError, match="--freeze matches no layer"):
        caffe.SGDSolver(write_solver(tmp_path), freeze=["conv*"])
    solver.net.save(tmp_path / "w.caffemodel")
    other = caffe.SGDSolver(write_solver(tmp_path)).net
    report = other.copy_from(tmp_path / "w.caffemodel", rename={"f*": "f*"}, ignore_mismatch=True)
    assert "fc" in report.loaded
    assert np.array_equal(before, other.params["fc"][0].data)
    with pytest.raises(RuntimeError, match="the rename gone=fc fits nothing"):
        other.copy_from(tmp_path / "w.caffemodel", rename={"gone": "fc"})
