"""Names at pycaffe's depth are pycaffe's, also when every module of the package was loaded."""
from __future__ import annotations

import subprocess
import sys

import pytest

# module -> what old scripts import from it
NAMES = {
    "caffe_lrcn": "Net SGDSolver NesterovSolver AdaGradSolver RMSPropSolver AdaDeltaSolver "
                  "AdamSolver NCCL Timer Layer Classifier Detector NetSpec layers params to_proto "
                  "get_solver set_mode_cpu set_mode_gpu set_device set_random_seed init_log log "
                  "layer_type_list TRAIN TEST __version__ proto io net_spec draw coord_map",
    "caffe_lrcn.io": "Transformer load_image resize_image oversample blobproto_to_array "
                     "array_to_blobproto arraylist_to_blobprotovecor_str array_to_datum "
                     "blobprotovector_str_to_arraylist datum_to_array caffe_pb2",
    "caffe_lrcn.net_spec": "NetSpec Top Function Layers Parameters layers params to_proto "
                           "assign_proto param_name_dict",
    "caffe_lrcn.draw": "draw_net draw_net_to_file get_pydot_graph get_layer_label get_edge_label "
                       "choose_color_by_layertype get_pooling_types_dict get_layer_lr_mult",
    "caffe_lrcn.coord_map": "coord_map_from_to coord_map crop crop_params conv_params compose "
                            "inverse AxisMismatchException UndefinedMapException "
                            "PASS_THROUGH_LAYERS",
    "caffe_lrcn.classifier": "Classifier",
    "caffe_lrcn.detector": "Detector",
    "caffe_lrcn.pycaffe": "Net SGDSolver NesterovSolver AdaGradSolver RMSPropSolver "
                          "AdaDeltaSolver AdamSolver NCCL Timer Layer",
    "caffe_lrcn._caffe": "Net SGDSolver Layer Blob BlobVec LayerVec get_solver set_mode_cpu "
                         "set_mode_gpu set_device layer_type_list __version__",
    "caffe_lrcn.proto": "caffe_pb2",
}
_PROGRAM = """
import importlib, pkgutil
import caffe_lrcn as caffe
for found in pkgutil.walk_packages(caffe.__path__, "caffe_lrcn."):
    if not found.name.endswith(".__main__"):
        importlib.import_module(found.name)
"""


@pytest.fixture(scope="module")
def loaded():
    """Return a function that runs a program after all modules of the package were imported."""
    def run(program):
        done = subprocess.run([sys.executable, "-c", _PROGRAM + program], capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
    return run


def test_each_name_is_imported_after_all_modules(loaded):
    loaded("".join(f"from {module} import {name}\n"
                   for module, names in NAMES.items() for name in names.split()))


def test_names_that_a_package_of_ours_could_hide(loaded):
    homes = loaded("""
for value in (caffe.layers, caffe.params):
    print(type(value).__module__)
for value in (caffe.Layer, caffe.log, caffe.Net, caffe.coord_map.coord_map_from_to,
              caffe.classifier.Classifier, caffe.io.Transformer, caffe.draw.draw_net,
              caffe.net_spec.NetSpec):
    print(value.__module__)
print(caffe.io.__name__, caffe.draw.__name__, caffe._caffe.__name__, caffe.proto.__name__)
""").split()
    assert homes == [
        "caffe_lrcn.pycaffe.net_spec", "caffe_lrcn.pycaffe.net_spec",
        "caffe_lrcn.layer_types.user_layer", "caffe_lrcn.pycaffe.modes", "caffe_lrcn.pycaffe.net",
        "caffe_lrcn.pycaffe.coord_map", "caffe_lrcn.pycaffe.classifier",
        "caffe_lrcn.pycaffe.transformer", "caffe_lrcn.pycaffe.draw", "caffe_lrcn.pycaffe.net_spec",
        "caffe_lrcn.io", "caffe_lrcn.draw", "caffe_lrcn._caffe", "caffe_lrcn.proto"]
