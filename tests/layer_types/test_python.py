"""Python: the engine runs a user's layer without pycaffe; tests/pycaffe has the rest."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import sys
from caffe_lrcn.backends import get_backend
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net
net = Net(parse_net('''
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "times" type: "Python" bottom: "data" top: "out"
  python_param { module: "tests.pycaffe.user_layers" layer: "Multiply" param_str: "2.5" } }
'''), get_backend("cpu"), phase=1)
net.blobs["data"].host_data[...] = 2
net.forward()
assert (net.blobs["out"].host_data == 5).all()
print(sorted(name for name in sys.modules
             if name.startswith(("caffe_lrcn.solver", "caffe_lrcn.pycaffe"))))
"""


def test_a_net_with_a_python_layer_loads_neither_solver_nor_pycaffe():
    done = subprocess.run([sys.executable, "-c", _PROGRAM], cwd=Path(__file__).parents[2],
                          capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
