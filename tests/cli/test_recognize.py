"""The command that says what happens in videos."""
from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from caffe_lrcn.cli import main as cli
from caffe_lrcn.sources.video_file import VideoFile
from caffe_lrcn.tasks.activity.ensemble import Ensemble
from caffe_lrcn.tasks.activity.flow import brox, flow_picture
from caffe_lrcn.tasks.activity.recognise import Recogniser
from caffe_lrcn.tasks.activity.results import read_results
from tests.harness.unread import run_unread
from tests.sources.clips import noisy, write_frames
from tests.tasks.activity import nets
from tests.tasks.activity.videos import write_sound, write_video

CLOSE = dict(rtol=1e-4, atol=1e-5)
FLOW = "transform_param { crop_size: 4 flow: true mean_value: 128 }" + nets.SIZED


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Nets for RGB and flow, and videos: smooth pictures that move, 4x5 where flow is computed."""
    folder = tmp_path_factory.mktemp("recognize")
    for name, text in (("single", nets.single_frame()), ("lrcn", nets.lrcn()),
                       ("flow", nets.lrcn(FLOW))):
        nets.write_net(folder, text, name)
    for number in range(3):
        write_video(folder / f"v{number}.mkv", noisy(number, 9 + number, 8, 10))
    (folder / "classes.txt").write_text("run\njump\nsit down\n")
    return folder


def recognize(files, *words, net="single") -> int:
    flags = ["--net", files / f"{net}.prototxt", "--weights", files / f"{net}.caffemodel"]
    return cli.main(["recognize", *map(str, [*flags, *words, "--cpu"])])


def said_of(files, video, net="single", **how):
    with VideoFile(video) as file:
        return Recogniser(files / f"{net}.prototxt", files / f"{net}.caffemodel",
                          **how)(file.frames())


def test_bars_json_csv_and_page(files, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    out = {name: tmp_path / "made" / f"o.{name}" for name in ("json", "csv", "html")}
    videos = [files / "v0.mkv", files / "v1.mkv"]
    assert recognize(files, *videos, "--classes", files / "classes.txt", "--crops", "10", "--top",
                     "2", *(word for name, path in out.items() for word in (f"--{name}", path)),
                     net="lrcn") == 0
    found = [said_of(files, video, "lrcn", crops="10") for video in videos]
    lines = capsys.readouterr().out.splitlines()
    best = np.argsort(-found[0].average)[:2]
    names = ["run", "jump", "sit down"]
    assert lines[0] == f"{videos[0]} (9 frames, 0.9 s)"
    for line, number in zip(lines[1:3], best, strict=True):
        assert line.startswith(f"  {names[number]}")
        assert f"{found[0].average[number]:.1%} █" in line and len(line) < 60
    assert len(lines) == 6
    content = json.loads(out["json"].read_text())
    assert content["classes"] == names
    assert [one["name"] for one in content["videos"]] == list(map(str, videos))
    assert content["videos"][1]["frames"] == 10 and "label" not in content["videos"][1]
    np.testing.assert_allclose(content["videos"][1]["probabilities"], found[1].average, **CLOSE)
    with open(out["csv"], newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 19 and rows[9]["video"] == str(videos[1])
    assert (rows[11]["frame"], rows[11]["seconds"]) == ("3", "0.200")
    np.testing.assert_allclose([float(row["sit down"]) for row in rows[9:]],
                               found[1].over_time[:, 2], rtol=1e-4, atol=2e-6)
    page = out["html"].read_text()
    assert page.count("<section>") == 2 and page.count("data:image/jpeg") == 16
    assert "sit down" in page and page.count("<svg") == 2 and "http" not in page


def test_folders(files, tmp_path, capsys):
    """A folder of frames is a video; a folder without pictures is searched for videos."""
    with VideoFile(files / "v1.mkv") as file:
        write_frames(tmp_path / "frames", np.stack(list(file.frames())), kind="rgb")
    (tmp_path / "all" / "deep").mkdir(parents=True)
    for number in (2, 10):
        shutil.copy(files / "v0.mkv", tmp_path / "all" / "deep" / f"v{number}.mkv")
    assert recognize(files, tmp_path / "frames", tmp_path / "all", "--json",
                     tmp_path / "o.json") == 0
    content = json.loads((tmp_path / "o.json").read_text())
    assert [os.path.basename(one["name"]) for one in content["videos"]] == [
        "frames", "v2.mkv", "v10.mkv"]
    np.testing.assert_allclose(content["videos"][0]["probabilities"],
                               said_of(files, files / "v1.mkv").average, **CLOSE)
    assert content["classes"] == ["class 0", "class 1", "class 2"]
    write_frames(tmp_path / "mixed", noisy(1, 2, 8, 10))
    write_frames(tmp_path / "mixed", noisy(1, 2, 8, 10), prefix="other_")
    capsys.readouterr()
    assert recognize(files, tmp_path / "mixed") == 0


def flow_pictures(backend_free_video):
    """What 'data flow' would make at the size of the net, as PNG."""
    from caffe_lrcn.backends import get_backend
    from caffe_lrcn.sources.picture import grey
    from caffe_lrcn.sources.resize import resize
    method = brox(get_backend("cpu"))
    with VideoFile(backend_free_video) as file:
        grays = [grey(resize(frame, 4, 5))[:, :, 0] for frame in file.frames()]
    return np.stack([flow_picture(method(*pair))[:, :, ::-1]
                     for pair in zip(grays, grays[1:], strict=False)])


def test_flow_from_folders_and_computed(files, tmp_path, capsys):
    """Both are the same; RGB and flow are fused, the first flow standing for two frames."""
    pictures = flow_pictures(files / "v0.mkv")
    write_frames(tmp_path / "flow" / "v0", pictures, kind="flow", prefix="flow_image_",
                 method="brox", scale=16.0)
    outputs = []
    for number, words in enumerate((["--flow", tmp_path / "flow"], [], ["--fusion", "1/3,2/3"])):
        path = tmp_path / f"{number}.csv"
        assert recognize(files, files / "v0.mkv", *words, "--csv", path, "--net",
                         files / "flow.prototxt", "--weights", files / "flow.caffemodel") == 0
        with open(path, newline="") as file:
            outputs.append(np.array([[float(row[f"class {k}"]) for k in range(3)]
                                     for row in csv.DictReader(file)]))
        assert ("flow is computed: brox, 16 grey" in capsys.readouterr().err) == (number > 0)
    rgb = said_of(files, files / "v0.mkv").over_time
    flow = Recogniser(files / "flow.prototxt", files / "flow.caffemodel")(pictures).over_time
    flow = np.concatenate([flow[:1], flow])
    np.testing.assert_allclose(outputs[0], (rgb + flow) / 2, atol=2e-6)
    np.testing.assert_allclose(outputs[1], outputs[0], atol=2e-6)
    np.testing.assert_allclose(outputs[2], rgb / 3 + flow * 2 / 3, atol=2e-6)
    alone = tmp_path / "alone.csv"
    assert recognize(files, tmp_path / "flow" / "v0", "--csv", alone, net="flow") == 0
    with open(alone, newline="") as file:
        assert [row["frame"] for row in csv.DictReader(file)] == [str(n) for n in range(2, 10)]


def write_list(files, folder, text="v0 0\nv1.mkv 1\r\n\nv2 2\n"):
    (folder / "list.txt").write_text(text)
    return ["--list", folder / "list.txt", "--root", files, "--classes", files / "classes.txt"]


def test_a_list_becomes_results_for_evaluate_activity(files, tmp_path, capsys):
    assert recognize(files, *write_list(files, tmp_path), "--json", tmp_path / "o.json") == 0
    printed = capsys.readouterr().out.splitlines()
    results = read_results(tmp_path / "o.json")
    assert results.names == ["v0", "v1", "v2"] and results.labels.tolist() == [0, 1, 2]
    right = int((results.predicted == results.labels).sum())
    assert printed[-1] == f"accuracy {right / 3:.2%}: {right} of 3 videos"
    assert len(printed) == 4 and printed[0].startswith("v0: ")
    assert not (tmp_path / "o.json.unfinished").exists()
    assert cli.main(["evaluate-activity", str(tmp_path / "o.json")]) == 0


def test_a_list_that_was_interrupted_goes_on(files, tmp_path, capsys, monkeypatch):
    calls = []
    whole = Ensemble.__call__

    def counted(self, video, *rest):
        calls.append(video.name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return whole(self, video, *rest)

    monkeypatch.setattr(Ensemble, "__call__", counted)
    words = [*write_list(files, tmp_path), "--json", tmp_path / "o.json"]
    assert recognize(files, *words) == 130
    assert capsys.readouterr().err.endswith("error: interrupted\n")
    assert not (tmp_path / "o.json").exists()
    with open(tmp_path / "o.json.unfinished", "a") as file:
        file.write('{"name": "v2", "probab')  # it was killed while it wrote
    assert recognize(files, *words) == 0
    assert calls == ["v0", "v1", "v2", "v2"]
    assert "2 videos were recognised by an earlier run" in capsys.readouterr().err
    np.testing.assert_allclose(read_results(tmp_path / "o.json").probabilities,
                               [said_of(files, files / f"v{n}.mkv").average for n in range(3)],
                               **CLOSE)


def test_an_interrupted_list_with_other_flags_begins_anew(files, tmp_path, capsys):
    from caffe_lrcn.tasks.activity.recognised import Journal
    with Journal(tmp_path / "o.json", {"other": "settings"}) as journal:
        journal.add({"name": "v0", "probabilities": [1, 0, 0]})
    assert recognize(files, *write_list(files, tmp_path), "--json", tmp_path / "o.json") == 0
    assert "all videos are recognised anew" in capsys.readouterr().err
    assert read_results(tmp_path / "o.json").probabilities[0].max() < 1
    (tmp_path / "o.json.unfinished").write_text("{}\n3\n")
    assert recognize(files, *write_list(files, tmp_path), "--json", tmp_path / "o.json") == 1
    assert "damaged" in capsys.readouterr().err


def test_a_class_folder_is_a_label(files, tmp_path, capsys):
    (tmp_path / "sit down").mkdir()
    shutil.copy(files / "v0.mkv", tmp_path / "sit down" / "v0.mkv")
    words = ["--root", tmp_path, "--json", tmp_path / "o.json"]
    assert recognize(files, *write_list(files, tmp_path, "sit down/v0.mkv\n"), *words) == 0
    assert read_results(tmp_path / "o.json").labels.tolist() == [2]
    assert recognize(files, *write_list(files, tmp_path, "sit down/v0.mkv 3\n"), *words) == 1
    assert "the label does not fit the video's class" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "message"), [
    ("v0 3\n", "list.txt:1: the label is not a class (got 3, wanted 0 to 2)"),
    ("v0 0\nv0.mkv 1\n", "list.txt:2: the video is listed twice"),
    ("\n", "names no video"), ("x 0\ny 1\n", "none of the listed videos is there, such as 'x'")])
def test_bad_lists(files, tmp_path, capsys, text, message):
    assert recognize(files, *write_list(files, tmp_path, text)) == 1
    assert message in capsys.readouterr().err


@pytest.fixture
def broken(tmp_path):
    """Videos with something wrong."""
    write_sound(tmp_path / "sound.mkv")
    cut = write_video(tmp_path / "cut.avi", noisy(1, 20, 48, 64), codec="mjpeg",
                      pixels="yuvj420p")
    cut.write_bytes(cut.read_bytes()[:cut.stat().st_size // 2])
    (tmp_path / "text.mp4").write_text("hello")
    write_frames(tmp_path / "sizes", noisy(1, 3, 8, 10))
    Image.fromarray(noisy(1, 1, 7, 10)[0]).save(tmp_path / "sizes" / "sizes.0003.png")
    write_frames(tmp_path / "flow", np.full((3, 8, 10, 3), 128, np.uint8), kind="flow")
    return tmp_path


def test_broken_videos_are_named_and_counted(files, broken, tmp_path, capsys):
    names = ["sound.mkv", "cut.avi", "text.mp4", "sizes", "flow", "absent.mkv"]
    words = [*(broken / name for name in names), files / "v0.mkv"]
    assert recognize(files, *words, "--json", tmp_path / "o.json", "--html",
                     tmp_path / "o.html") == 1
    error = capsys.readouterr().err
    for message in ("sound.mkv' has no pictures (got sound", "cut.avi' ends too early",
                    "recognised by the frames before this", "text.mp4' cannot be read as a video",
                    "another size than the first", "these are pictures of flow, not frames",
                    "or a net for flow", "absent.mkv' is missing",
                    "2 of 7 videos recognised, 1 of them cut short; 5 are broken"):
        assert message in error
    content = json.loads((tmp_path / "o.json").read_text())["videos"]
    assert "ends too early" in content[0]["problem"] and 0 < content[0]["frames"] < 20
    assert "problem" not in content[1]
    page = (tmp_path / "o.html").read_text()
    assert page.count('<p class="wrong">') == 6


@pytest.mark.parametrize("name", ["cut.avi", "absent.mkv", "sizes"])
def test_strict_stops_at_the_first(files, broken, capsys, name):
    assert recognize(files, broken / name, files / "v0.mkv", "--strict") == 1
    printed = capsys.readouterr()
    assert printed.out == "" and name in printed.err


def test_flow_that_cannot_be(files, tmp_path, capsys):
    one = write_video(tmp_path / "one.mkv", noisy(1, 1, 8, 10))
    assert recognize(files, one, net="flow") == 1
    assert "flow needs two frames or more" in capsys.readouterr().err
    write_frames(tmp_path / "rgb", noisy(1, 3, 8, 10), kind="rgb")
    assert recognize(files, tmp_path / "rgb", net="flow") == 1
    assert "these are frames, not pictures of flow" in capsys.readouterr().err
    write_frames(tmp_path / "unsaid", noisy(1, 3, 8, 10))
    assert recognize(files, tmp_path / "unsaid", net="flow") == 1
    assert "does not look like a picture of flow" in capsys.readouterr().err
    still = np.full((3, 8, 10, 3), 128, np.uint8)
    for name, method in (("a", "brox"), ("b", "dis")):
        write_frames(tmp_path / name, still, kind="flow", method=method, scale=16.0)
    assert recognize(files, tmp_path / "a", tmp_path / "b", net="flow") == 1
    assert "was made otherwise than that of another video (got dis, 16.0" in \
        capsys.readouterr().err
    assert recognize(files, files / "v0.mkv", "--flow", tmp_path, net="flow") == 1
    assert "the folder of flow pictures does not exist" in capsys.readouterr().err
    write_frames(tmp_path / "v0", still, kind="flow", method="brox", scale=16.0)
    assert recognize(files, files / "v0.mkv", "--flow", tmp_path, "--net",
                     files / "flow.prototxt", "--weights", files / "flow.caffemodel") == 1
    assert "frames and flow do not belong together" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "message"), [
    ([], "no videos to recognise"), (["a", "--list", "b"], "exclude each other"),
    (["a", "--root", "b"], "--root needs --list"), (["a", "--flow", "b"], "no net takes flow"),
    (["a", "--rate", "0"], "--rate"), (["a", "--flow-scale", "-1"], "--flow-scale"),
    (["a", "--size", "240"], "--size takes"), (["a", "--mean", "1,2"], "--mean takes"),
    (["a", "--fusion", "third"], "third: 2 weights"),
    (["a", "--fusion", "best"], "unknown weights"),
    (["a", "--stage", "a", "--stage", "b"], "--stage is given once for all nets"),
    (["a", "--window", "4", "--stride", "5"], "stride"), (["a", "--window", "0"], "positive"),
    (["a", "--stream", "--json", "o.json"], "--json does nothing with --stream"),
    (["a", "b", "--stream"], "--stream reads one video"),
    (["a", "--net", "b"], "one --weights for each --net"),
    (["a", "--classes", "absent.txt"], "cannot read the classes")])
def test_wrong_words(files, tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    assert recognize(files, *words) == 1
    assert message in capsys.readouterr().err


def test_classes(files, tmp_path, capsys):
    path = tmp_path / "classInd.txt"
    for text, code, message in (
            ("1 Run\r\n2 Jump\r\n3 Sit\r\n", 0, "Sit"), ("a\nb\n", 1, "got 2, wanted 3"),
            ("a\nb\na\n", 1, "classInd.txt:3: two classes have one name"),
            ("1 a\n3 b\n", 1, "numbered from 1"), ("", 1, "no classes")):
        path.write_bytes(text.encode())
        assert recognize(files, files / "v0.mkv", "--classes", path) == code
        printed = capsys.readouterr()
        assert message in (printed.err if code else printed.out)
    assert recognize(files, files / "v0.mkv", "--classes", files / "classes.txt",
                     "--net", files / "lrcn.prototxt", "--weights",
                     files / "single.caffemodel") == 1
    assert "another shape" in capsys.readouterr().err


def test_a_stage_that_no_layer_has(files, tmp_path, capsys):
    assert recognize(files, files / "v0.mkv", "--stage", "folw") == 1
    assert "no rule of the net names the stage 'folw'" in capsys.readouterr().err
    nets.write_net(tmp_path, nets.single_frame().replace(
        'type: "Input"', 'type: "Input" include { stage: "flow" } include { not_stage: "flow" }'),
        "variants")
    words = ("recognize", files / "v0.mkv", "--net", tmp_path / "variants.prototxt",
             "--weights", tmp_path / "variants.caffemodel", "--cpu", "--stage")
    assert cli.main([*map(str, words), "flow"]) == 0
    assert cli.main([*map(str, words), "folw"]) == 1
    assert "wanted flow). Did you mean 'flow'?" in capsys.readouterr().err


def lines_of_seconds(rows, rate):
    seconds = [rows[k * rate:(k + 1) * rate].mean(axis=0) for k in range(len(rows) // rate)]
    return [f" 0:{second + 1:02d}  class {values.argmax()} {values.max():.1%}"
            for second, values in enumerate(seconds)]


@pytest.mark.parametrize("source", ["file", "pipe"])
def test_a_stream(files, tmp_path, capfd, source):
    path = write_video(tmp_path / "long.mkv", noisy(5, 47, 8, 10))
    rows = said_of(files, path, "lrcn", size=47, stride=47).over_time
    words = ["--stream", "--top", "1"]
    if source == "file":
        assert recognize(files, path, *words, net="lrcn") == 0
        printed = capfd.readouterr().out.splitlines()
    else:
        printed = subprocess.run(stream_command(files, "-", *words), input=path.read_bytes(),
                                 stdout=subprocess.PIPE,
                                 check=True).stdout.decode().splitlines()
    assert printed[:4] == lines_of_seconds(rows, 10)
    assert printed[4] == "mean of 47 frames (4.7 s)"
    assert printed[5].split()[:2] == ["class", str(rows.mean(axis=0).argmax())]


def stream_command(files, *words):
    return [sys.executable, "-m", "caffe_lrcn", "recognize", *map(str, words), "--net",
            str(files / "lrcn.prototxt"), "--weights", str(files / "lrcn.caffemodel"), "--cpu"]


def test_ctrl_c_ends_a_stream(files, tmp_path):
    """The lines so far are there, and the mean of them."""
    path = write_video(tmp_path / "long.avi", noisy(5, 900, 64, 64), codec="rawvideo",
                       pixels="bgr24")
    with subprocess.Popen(stream_command(files, "-", "--stream"), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        threading.Thread(target=_feed, args=(process, path.read_bytes()), daemon=True).start()
        assert process.stdout.readline().startswith(b" 0:01")
        process.send_signal(signal.SIGINT)
        out, err = process.stdout.read(), process.stderr.read()
        process.wait(60)
    assert process.returncode == 130 and err.decode() == "error: interrupted\n"
    assert b"mean of " in out


def _feed(process, content):
    """Write, and leave the pipe open: more might come."""
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(content)
        process.stdin.flush()


def test_a_stream_with_an_end_too_early(files, broken, capsys):
    assert recognize(files, broken / "cut.avi", "--stream") == 1
    printed = capsys.readouterr()
    assert "mean of" in printed.out and "ends too early" in printed.err
    assert recognize(files, broken / "absent.avi", "--stream") == 1
    assert "is missing" in capsys.readouterr().err


def test_flow_in_a_stream(files, tmp_path, capsys):
    """RGB and flow at once: each line is the mean of both."""
    rgb = said_of(files, files / "v2.mkv").over_time
    flow = Recogniser(files / "flow.prototxt", files / "flow.caffemodel", size=10)(
        flow_pictures(files / "v2.mkv")).over_time
    rows = (rgb + np.concatenate([flow[:1], flow])) / 2
    assert recognize(files, files / "v2.mkv", "--stream", "--top", "1", "--net",
                     files / "flow.prototxt", "--weights", files / "flow.caffemodel") == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == lines_of_seconds(rows, 10)[0]
    assert printed[1] == "mean of 11 frames (1.1 s)"


def test_the_files_are_whole_though_nobody_reads_the_output(files, tmp_path):
    words = ["recognize", files / "v0.mkv", files / "v1.mkv", "--net", files / "single.prototxt",
             "--weights", files / "single.caffemodel", "--cpu", "--json", tmp_path / "o.json"]
    code, said = run_unread(words)
    assert code == 1 and "Error" not in said
    assert len(json.loads((tmp_path / "o.json").read_text())["videos"]) == 2


def test_names_that_terminals_obey(files, tmp_path, capsys):
    path = tmp_path / "v\x1b[31m.mkv"
    shutil.copy(files / "v0.mkv", path)
    (tmp_path / "c.txt").write_text("a\x1b[31m\nb\x1b[31m\n<c>\x1b[31m\n")
    assert recognize(files, path, "--classes", tmp_path / "c.txt", "--html",
                     tmp_path / "o.html") == 0
    assert "\x1b" not in capsys.readouterr().out
    page = (tmp_path / "o.html").read_text()
    assert "\x1b" not in page and "<c>" not in page
