"""`check` finds every problem in one pass, and finds none where there is none."""
from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.inspection.check import check_file

_ROOT = Path(__file__).parents[2]


def _check(tmp_path: Path, text: str, **options):
    path = tmp_path / "net.prototxt"
    path.write_text(text)
    return check_file(str(path), **options)


def _texts(report, severity: str = "error") -> list[str]:
    return [problem.text for problem in report.problems if problem.severity == severity]


def _input(name: str, *dims: int) -> str:
    shape = " ".join(f"dim: {size}" for size in dims)
    return (f'layer {{ name: "{name}" type: "Input" top: "{name}" '
            f"input_param {{ shape {{ {shape} }} }} }}\n")


_LSTM = ('layer { name: "lstm" type: "LSTM" bottom: "x" bottom: "cont" top: "h" '
         "recurrent_param { num_output: 4 } }\n")

_BAD = _input("x", 10, 5, 8) + _input("cont", 5, 10) + _LSTM + '''
layer { name: "c" type: "Convolutoin" bottom: "x" top: "c" }
layer { name: "after" type: "ReLU" bottom: "c" top: "after" }
layer { name: "ip" type: "InnerProduct" bottom: "hh" top: "ip"
  inner_product_param { num_output: 3 axiss: 2 } }
layer { name: "p" type: "PriorBox" bottom: "x" top: "pb" prior_box_param { min_size: 3 } }
layer { name: "f" type: "InnerProduct" bottom: "x" top: "f"
  inner_product_param { num_output: 3 weight_filler { type: "xaver" } } }
layer { name: "rs" type: "Reshape" bottom: "x" top: "rs"
  reshape_param { shape { dim: 9 dim: 5 dim: 8 } } }
'''


def test_every_problem_in_one_pass(tmp_path):
    report = _check(tmp_path, _BAD)
    texts = _texts(report)
    for part in ("one of them is N x T instead of T x N", "Did you mean 'Convolution'?",
                 "unknown bottom blob 'hh'", "has no field 'axiss'",
                 "unknown layer type 'PriorBox'",
                 "has no field 'prior_box_param'. It belongs to a fork of Caffe (SSD)",
                 "unknown filler", "changes the number of elements"):
        assert any(part in text for text in texts), part
    assert len(texts) == 8, texts  # and none that only follows from another
    assert all(problem.where.count(":") >= 2 for problem in report.problems)
    assert all(text.startswith("layer '") for text in texts)


@pytest.mark.parametrize("path", sorted(
    str(path.relative_to(_ROOT)) for path in (_ROOT / "prototxt").glob("**/*.prototxt")
    if "solver" in path.name or "deploy" in path.name))
def test_the_project_s_own_files_are_sound(path, tmp_path, monkeypatch):
    # From an empty folder: what lies under data/ at the moment does not count.
    shutil.copytree(_ROOT / "prototxt", tmp_path / "prototxt")
    monkeypatch.chdir(tmp_path)
    report = check_file(path)
    assert report.variants and not [p for p in report.problems if p.severity != "note"]


@pytest.mark.parametrize("convolution", [
    "num_output: 6 kernel_size: 3 group: 3", "num_output: 6 kernel_size: 3 kernel_size: 3 "
    "kernel_size: 3"])
@pytest.mark.parametrize("data", [
    'type: "Input"', 'type: "Data" data_param { source: "nowhere" batch_size: 2 }'])
def test_what_depends_on_an_unknown_shape_is_no_error(tmp_path, convolution, data):
    """The shape may be assumed, or be one that many layers take."""
    report = _check(tmp_path, f'''layer {{ name: "x" {data} top: "x" }}
layer {{ name: "c" type: "Convolution" bottom: "x" top: "c"
  convolution_param {{ {convolution} }} }}
layer {{ name: "d" type: "Deconvolution" bottom: "x" top: "d"
  convolution_param {{ num_output: 8 kernel_size: 3 group: 8 }} }}
''')
    assert not _texts(report)
    wrong = _check(tmp_path, f'''layer {{ name: "x" {data} top: "x" }}
layer {{ name: "c" type: "Convolution" bottom: "x" top: "c"
  convolution_param {{ num_output: 4 kernel_size: 3 group: 3 }} }}''')
    assert len(_texts(wrong)) == 1


def test_what_is_wrong_in_both_phases_is_said_once(tmp_path):
    """Also where one of them brings the data, and the other lacks them."""
    report = _check(tmp_path, _input("x", 2, 3).replace('top: "x"', 'top: "x" include '
                                                        "{ phase: TRAIN }") + '''
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "xaver" } } }
layer { name: "loss" type: "Reduction" bottom: "ip" top: "loss" loss_weight: 1 }''')
    (problem,) = (one for one in report.problems if "filler" in one.text)
    assert problem.text.startswith("layer 'ip': ") and problem.variants == ["TRAIN", "TEST"]


def test_phases_are_told_apart(tmp_path):
    report = _check(tmp_path, _input("x", 2, 3) + '''
layer { name: "a" type: "ReLU" bottom: "x" top: "a" include { phase: TRAIN } }
layer { name: "b" type: "TanH" bottom: "a" top: "b" loss_weight: 1 }
''')
    (problem,) = (one for one in report.problems if one.severity == "error")
    assert problem.variants == ["TEST"] and "phase is TEST, the rule asks for TRAIN" in problem.text
    assert problem.line(report.variants).endswith("[TEST]")


def test_a_blob_of_another_stage_is_explained(tmp_path):
    text = _input("x", 2, 3) + '''
layer { name: "a" type: "ReLU" bottom: "x" top: "a" include { stage: "deep" } }
layer { name: "b" type: "TanH" bottom: "a" top: "b" }
'''
    assert "stage 'deep' is not set" in _texts(_check(tmp_path, text))[0]
    assert not _texts(_check(tmp_path, text, stages=["deep"]))


def test_a_solver_s_states_reach_its_nets(tmp_path):
    (tmp_path / "n.prototxt").write_text(_input("x", 2, 3) + '''
layer { name: "a" type: "PReLU" bottom: "x" top: "a" include { stage: "deep" } }
layer { name: "b" type: "TanH" bottom: "a" top: "b" loss_weight: 1 }
''')
    solver = tmp_path / "s.prototxt"
    solver.write_text(f'net: "{tmp_path}/n.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 1\n'
                      'train_state { stage: "deep" } test_iter: 1 test_interval: 1\n')
    report = check_file(str(solver))
    assert report.variants == ["TRAIN, stages deep", "TEST"]
    assert [problem.variants for problem in report.problems] == [["TEST"]]


def test_every_problem_of_a_solver(tmp_path):
    report = _check(tmp_path, 'net: "nowhere.prototxt"\nlr_policy: "steep"\ntype: "Adan"\n'
                              "iter_size: 0\nweigth_decay: 1\n")
    texts = " | ".join(_texts(report))
    for part in ("unknown lr_policy", "Did you mean 'Adam'?", "iter_size is too small",
                 "no field 'weigth_decay'", "'nowhere.prototxt': no such file"):
        assert part in texts
    assert len(texts.split(" | ")) == 5
    assert sorted(text.split(",")[0] for text in _texts(report, "warning")) == [
        "base_lr is not set", "max_iter is 0 or not set"]


def test_reshape_sizes_of_both_inputs_are_compared_without_data(tmp_path):
    text = '''
layer { name: "d" type: "HDF5Data" top: "f" top: "m"
  hdf5_data_param { source: "none.txt" batch_size: 50 } }
layer { name: "rx" type: "Reshape" bottom: "f" top: "x"
  reshape_param { shape { dim: 10 dim: 5 dim: 8 } } }
layer { name: "rc" type: "Reshape" bottom: "m" top: "cont"
  reshape_param { shape { dim: 5 dim: 10 } } }
''' + _LSTM
    report = _check(tmp_path, text)
    assert "both are T x N" in _texts(report)[0]
    notes = _texts(report, "note")
    assert any("the net fits batches of 50 only" in note for note in notes)
    known = _check(tmp_path, text, shapes={"f": (50, 8), "m": (50,)})
    assert ["N x T instead of T x N" in message for message in _texts(known)] == [True]


def test_axis_of_a_sequence(tmp_path):
    text = _input("x", 10, 5, 8) + _input("cont", 10, 5) + _LSTM + '''
layer { name: "predict" type: "InnerProduct" bottom: "h" top: "p"
  inner_product_param { num_output: 7 } }
'''
    (warning,) = _texts(_check(tmp_path, text), "warning")
    assert "Write inner_product_param { axis: 2 }" in warning
    sound = text.replace("num_output: 7", "num_output: 7 axis: 2")
    assert not _check(tmp_path, sound).problems


def test_shapes_that_were_assumed_make_no_errors(tmp_path):
    text = '''
layer { name: "d" type: "HDF5Data" top: "w" top: "cont"
  hdf5_data_param { source: "none.txt" batch_size: 10 } }
layer { name: "e" type: "Embed" bottom: "w" top: "x" embed_param { num_output: 8 input_dim: 9 } }
''' + _LSTM + '''
layer { name: "r" type: "Reshape" bottom: "h" top: "r"
  reshape_param { shape { dim: 50 dim: 4 } } }
'''
    report = _check(tmp_path, text)
    assert not _texts(report)
    assert "--shape says another" in _texts(report, "warning")[0]
    assert "10 time steps (its batch_size) of 1 stream are assumed" in _texts(report, "note")[0]
    shapes = {"w": (10, 5), "cont": (10, 5)}
    assert not [p for p in _check(tmp_path, text, shapes=shapes).problems if p.severity != "note"]


def test_data_layers_are_checked_without_data(tmp_path):
    report = _check(tmp_path, '''
layer { name: "a" type: "ImageData" top: "a" top: "la" transform_param { crop_size: 8 }
  image_data_param { source: "none.txt" batch_size: 4 is_color: false } }
layer { name: "b" type: "ImageData" top: "b" top: "lb" image_data_param { batch_size: 4 } }
layer { name: "conv" type: "Convolution" bottom: "a" top: "c"
  convolution_param { num_output: 2 kernel_size: 9 } }
''')
    errors = _texts(report)
    assert len(errors) == 2 and "no source is given" in errors[0]
    assert "layer 'conv'" in errors[1]


def test_large_nets_take_no_memory(tmp_path):
    report = _check(tmp_path, _input("x", 1000, 10 ** 6) + '''
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
  inner_product_param { num_output: 2000 weight_filler { type: "gaussian" std: 0.1 } } }
''')
    assert not report.problems


def test_the_command(tmp_path, capsys):
    good, bad = tmp_path / "good.prototxt", tmp_path / "bad.prototxt"
    good.write_text(_input("x", 2, 3))
    bad.write_text(_BAD)
    assert main(["check", str(good)]) == 0
    assert "good.prototxt: no problems (TEST)" in capsys.readouterr().out
    assert main(["check", str(good), str(bad), str(tmp_path / "none")]) == 1
    out = capsys.readouterr().out
    assert "bad.prototxt: 8 errors (TEST)" in out and "no such file" in out
    assert main(["check", str(good), "--shape", "x"]) == 1


def test_fillers_are_checked_but_not_run_for_shapes_alone():
    from caffe_lrcn import filler
    from caffe_lrcn.errors import PrototxtError
    from caffe_lrcn.proto.caffe_pb2 import FillerParameter
    filler.check(FillerParameter(type="xavier"), (10 ** 7, 10 ** 7))
    with pytest.raises(PrototxtError, match="min is above max"):
        filler.check(FillerParameter(type="uniform", min=2, max=1), (4, 4))
    with pytest.raises(PrototxtError, match="square kernels"):
        filler.check(FillerParameter(type="bilinear"), (4, 4, 3, 5))


_TRAIN_NET = '''
layer {{ name: "d" type: "ImageData" top: "x" top: "t" {rule} transform_param {{ crop_size: 8 }}
  image_data_param {{ source: "{source}" batch_size: 4 }} }}
layer {{ name: "a" type: "InnerProduct" bottom: "x" top: "a"
  inner_product_param {{ num_output: 3 {filler} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "a" bottom: "t" {loss} }}
'''


def _solved(tmp_path: Path, solver: str, source: str = "none.txt", **parts: str):
    parts = {"rule": "", "loss": "", "filler": 'weight_filler { type: "xavier" }'} | parts
    (tmp_path / "n.prototxt").write_text(_TRAIN_NET.format(source=source, **parts))
    path = tmp_path / "s.prototxt"
    path.write_text(f'net: "n.prototxt" {solver}')
    return check_file(str(path))


_FIXED = 'base_lr: 0.1 lr_policy: "fixed" max_iter: 9 '


def test_a_sound_solver_has_a_note_about_its_data_alone(tmp_path):
    report = _solved(tmp_path, _FIXED)
    assert not _texts(report) and not _texts(report, "warning")
    assert "'none.txt' is not there" in " ".join(_texts(report, "note"))


@pytest.mark.parametrize("parts, severity, words", [
    ({"loss": "include { phase: TEST }"}, "error", "'loss' is one, but its rules leave it out"),
    ({"filler": ""}, "warning", "layer 'a': its weights have no filler"),
    ({"filler": 'weight_filler { type: "xaver" }'}, "error", "unknown filler"),
])
def test_a_net_that_cannot_learn(tmp_path, parts, severity, words):
    report = _solved(tmp_path, _FIXED, **parts)
    assert words in " ".join(_texts(report, severity))


@pytest.mark.parametrize("solver, severity, words", [
    ('lr_policy: "fixed" max_iter: 9', "warning", "base_lr is not set"),
    (_FIXED.replace("0.1", "0"), "warning", "base_lr is 0"),
    (_FIXED.replace("0.1", "-1"), "warning", "the loss is made larger"),
    ('base_lr: 1 lr_policy: "step" stepsize: 3 max_iter: 9', "error", "needs gamma"),
    ('base_lr: 1 lr_policy: "step" gamma: 0.1 max_iter: 9', "error", "stepsize"),
    ('base_lr: 1 lr_policy: "multistep" gamma: 0.1 max_iter: 9', "error", "stepvalue"),
    ('base_lr: 1 lr_policy: "multistep" gamma: 0.1 stepvalue: 5 stepvalue: 3 max_iter: 9',
     "warning", "do not rise"),
    ('base_lr: 1 lr_policy: "poly" max_iter: 9', "warning", "has no power"),
    ('base_lr: 1 lr_policy: "inv" power: 1 max_iter: 9', "warning", "has no gamma"),
    ('base_lr: 1 lr_policy: "sigmoid" gamma: 1 max_iter: 9', "warning", "has no stepsize"),
    ('base_lr: 1 lr_policy: "fixed"', "warning", "no iteration is made"),
    (_FIXED + "test_interval: 3", "warning", "test_iter is not, so nothing is tested"),
    (_FIXED + "test_iter: 3", "error", "test_interval is not set"),
    (_FIXED + "test_iter: 0 test_interval: 3", "error", "test_iter is too small"),
    (_FIXED + "momentum: 1", "warning", "updates grow"),
    (_FIXED + "clip_gradients: 0", "warning", "scaled to 0"),
    (_FIXED + 'weights: "no.caffemodel"', "note", "'no.caffemodel' is not there"),
])
def test_a_solver_that_learns_nothing(tmp_path, solver, severity, words):
    assert words in " ".join(_texts(_solved(tmp_path, solver), severity))


def test_gamma_is_not_missed_where_no_step_comes(tmp_path):
    solver = 'base_lr: 1 lr_policy: "step" stepsize: 10 max_iter: 9'
    assert not _texts(_solved(tmp_path, solver))


def test_data_that_are_there_and_wrong_are_an_error(tmp_path):
    (tmp_path / "list.txt").write_text("a.jpg 1\nb.jpg cat\n")
    error, = _texts(_solved(tmp_path, _FIXED, str(tmp_path / "list.txt")))
    assert "no integer as its label" in error


def test_a_deployed_net_is_not_checked_as_if_it_were_trained(tmp_path):
    text = _input("x", 2, 3) + '''
layer { name: "d" type: "Dropout" bottom: "x" top: "d" include { phase: TRAIN } }
layer { name: "a" type: "ReLU" bottom: "x" top: "a" include { phase: TEST } }
layer { name: "b" type: "ReLU" bottom: "a" top: "b" }
'''
    report = _check(tmp_path, text)
    assert report.variants == ["TEST"] and not report.problems


@pytest.mark.parametrize("layer, words", [
    ('type: "InnerProduct" inner_product_param { num_output: 3 weight_filler { type: "xaver" } }',
     "unknown filler"),
    ('type: "Convolution" convolution_param { num_output: 3 }', "kernel"),
])
def test_what_the_definition_says_wrong_behind_unknown_shapes(tmp_path, layer, words):
    report = _check(tmp_path, '''
layer { name: "d" type: "Data" top: "x" data_param { source: "none" batch_size: 4 } }
layer { name: "a" bottom: "x" top: "a" ''' + layer + " }")
    error, = _texts(report)
    assert words in error


def test_a_reshape_does_not_transpose(tmp_path):
    report = _check(tmp_path, _input("w", 5, 10, 8) + _input("m", 5, 10) + '''
layer { name: "rx" type: "Reshape" bottom: "w" top: "x"
  reshape_param { shape { dim: 10 dim: 5 dim: 8 } } }
layer { name: "rc" type: "Reshape" bottom: "m" top: "cont"
  reshape_param { shape { dim: 10 dim: 5 } } }
''' + _LSTM)
    warnings = _texts(report, "warning")
    assert ["transposes nothing" in text for text in warnings] == [True, True]


def test_equal_names_and_overwrites_are_found(tmp_path):
    report = _check(tmp_path, _input("x", 2, 3) + '''
layer { name: "f" type: "Flatten" bottom: "x" top: "f" }
layer { name: "r" type: "ReLU" bottom: "f" top: "f" }
layer { name: "r" type: "Power" bottom: "x" top: "p" }
''')
    warnings = _texts(report, "warning")
    assert any("changes in place the memory" in text for text in warnings)
    assert any("has the name of the layer at" in text for text in warnings)
