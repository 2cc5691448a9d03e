"""What scores need: no net, no device, no file formats of nets."""
import subprocess
import sys

#: The first parts of names of modules that only nets need.
OF_NETS = ("caffe_lrcn.proto", "caffe_lrcn.backends", "caffe_lrcn.blob", "caffe_lrcn.sources",
           "caffe_lrcn.layer_types", "caffe_lrcn.net", "caffe_lrcn.solver", "caffe_lrcn.tasks",
           "caffe_lrcn.language.step_net", "cupy", "google", "h5py", "PIL")


def test_metrics_import_no_net():
    script = "import sys, caffe_lrcn.metrics; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True,
                            text=True).stdout.split()
    assert "caffe_lrcn.metrics.scores" in loaded
    assert [name for name in loaded if name.startswith(OF_NETS)] == []
