"""VideoData as a layer: definition, order, workers, resuming, and what is refused at the start."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.inspection.data_shapes import guess_shapes
from caffe_lrcn.inspection.look import look_at
from caffe_lrcn.layer_types.base import TEST, TRAIN, Settings
from caffe_lrcn.net.filter import make_state
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.blob_proto import write_blob_proto
from caffe_lrcn.proto.text import parse_net
from tests.sources.clips import marked, noisy, write_frames, write_list
from tests.tasks.activity.videos import write_video


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with three videos of 7 frames of 6 x 8 pixels below ``root``."""
    for number in range(3):
        write_frames(tmp_path / "root" / f"v{number}", noisy(number, 7), "rgb")
    write_list(tmp_path, "v0 0", "v1 1", "v2 2")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def definition(video="", transform=""):
    small = "" if "new_" in video else "new_height: 6 new_width: 8"
    return ('layer { name: "d" type: "VideoData" top: "data" top: "label" top: "cont"\n'
            f'  transform_param {{ {transform} }}\n'
            '  video_data_param { source: "list.txt" root_folder: "root" clip_length: 3\n'
            f'    {small} {video} }} }}')


def run(case, batches):
    seen = []
    for _ in range(batches):
        case.forward()
        seen.append([blob.host_data.copy() for blob in case.top])
    return [np.stack(arrays) for arrays in zip(*seen, strict=True)]


def assert_same(one, other):
    for got, want in zip(one, other, strict=True):
        np.testing.assert_array_equal(got, want)


def test_tops_have_their_shapes_before_the_first_batch(folder, build):
    case = build(definition("batch_size: 2", "crop_size: 5"))
    assert [blob.shape for blob in case.top] == [(6, 3, 5, 5), (3, 2), (3, 2)]


def test_frames_are_time_major(folder, build, backend):
    for number in range(3):
        write_frames(folder / "root" / f"v{number}", marked(number, 7), "rgb")
    case = build(definition("batch_size: 2"), phase=TEST, backend=backend)
    data, label, cont = run(case, 2)
    assert data[:, :, 1, 2, 3].tolist() == [[2, 52, 3, 53, 4, 54], [102, 2, 103, 3, 104, 4]]
    assert label.tolist() == [[[0, 1]] * 3, [[2, 0]] * 3]
    assert cont.tolist() == [[[0, 0], [1, 1], [1, 1]]] * 2


def test_mean_and_scale(folder, build):
    plain = run(build(definition(), phase=TEST), 1)[0]
    got = run(build(definition("", "mean_value: 1 mean_value: 2 mean_value: 3 scale: 0.5"),
                    phase=TEST), 1)[0]
    mean = np.array([1, 2, 3])[:, None, None]
    np.testing.assert_allclose(got, (plain - mean) / 2)
    picture = np.arange(144, dtype=np.float32).reshape(1, 3, 6, 8)
    write_blob_proto("mean.binaryproto", picture)
    got = run(build(definition("", 'mean_file: "mean.binaryproto"'), phase=TEST), 1)[0]
    np.testing.assert_allclose(got, plain - picture)


def test_small_frames_become_240_by_320(folder, build):
    case = build(definition("new_height: 0"), phase=TEST)
    assert case.top[0].shape == (3, 3, 240, 320)


def test_the_centre_and_no_flip_in_test(folder, build):
    plain = run(build(definition(), phase=TEST), 4)[0]
    cropped = run(build(definition("", "crop_size: 4"), phase=TEST), 4)[0]
    np.testing.assert_array_equal(cropped, plain[..., 1:5, 2:6])
    mirrored = run(build(definition("", "mirror: true"), phase=TEST), 30)[0]
    flips = (mirrored != np.resize(plain[:3], mirrored.shape)).any(axis=(1, 2, 3, 4))
    assert 5 < flips.sum() < 25


@pytest.mark.parametrize("faithful, still", [("", 128), ("faithful: true", 127)])
def test_flow_is_negated_where_it_is_mirrored(folder, build, faithful, still):
    frames = np.full((7, 6, 8, 3), 128, np.uint8)
    frames[:, :, :4, 2] = 100
    for number in range(3):
        write_frames(folder / "root" / f"v{number}", frames, "flow")
    case = build(definition(f"modality: FLOW {faithful}", "mirror: true" if not faithful else
                            "crop_size: 4"), phase=TRAIN)
    seen = {tuple(np.unique(batch[:, 2]).astype(int)) for batch in run(case, 40)[0]}
    other = 156 if not faithful else 155
    # Squashed to 4 x 4 pixels a row is 100, 100, 128, 128; crops of 4 x 4 may show one side only.
    assert (100, 128) in seen and (still, other) in seen
    assert not any(100 in values and still == 127 and 127 in values for values in seen)
    assert (run(case, 20)[0][:, :, :2] == 128).all()


def test_faithful_draws_in_test_as_well(folder, build):
    # CAFFE-QUIRK
    case = build(definition("faithful: true", "crop_size: 4"), phase=TEST)
    data = run(case, 30)[0]
    assert data.shape == (30, 3, 3, 4, 4)
    assert len({batch.tobytes() for batch in data[::3]}) > 5


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("faithful", ["", "faithful: true"])
def test_any_number_of_workers_and_any_cursor_give_the_same_bits(folder, build, workers, faithful):
    prototxt = definition(f"batch_size: 2 shuffle: true rand_skip: 2 {faithful}",
                          "crop_size: 4 mirror: true mean_value: 100")
    case = build(prototxt, phase=TRAIN)
    want = run(case, 2)
    state, rest = case.layer.state(), run(case, 4)
    other = build(prototxt, phase=TRAIN, settings=Settings(workers=workers))
    assert_same(run(other, 2), want)
    run(other, 1)
    other.layer.restore(state)
    assert_same(run(other, 4), rest)


@pytest.mark.parametrize("workers", [0, 2])
def test_video_files_give_the_pixels_of_folders(folder, build, workers):
    prototxt = definition("batch_size: 2", "crop_size: 4 mirror: true")
    want = run(build(prototxt, phase=TRAIN), 4)
    for number in range(3):
        write_video(folder / "files" / f"v{number}.mkv", noisy(number, 7))
    got = run(build(prototxt.replace('"root"', '"files"'), phase=TRAIN,
                    settings=Settings(workers=workers)), 4)
    assert_same(got, want)


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_stops_the_run_and_names_the_file(folder, build, workers):
    case = build(definition(), phase=TEST, settings=Settings(workers=workers))
    (folder / "root" / "v2" / "v2.0003.png").write_bytes(b"nonsense")
    run(case, 2)
    with pytest.raises(DataError, match="list.txt:3: .*v2.0003.png' cannot be read"):
        case.forward()


def test_short_videos_are_told_of_once(folder, build, caplog):
    write_frames(folder / "root" / "v1", marked(1, 2))
    (folder / "root" / "v1" / "frames.json").unlink()
    for number in range(3, 8):
        (folder / "root" / "v1" / f"v1.{number:04d}.png").unlink()
    case = build(definition("batch_size: 3"), phase=TEST)
    data = run(case, 2)[0]
    assert data[0, 1::3, 0, 0, 0].tolist() == [50, 51, 51]
    assert caplog.text.count("shorter than") == 1
    assert "list.txt:2: layer 'd': 1 of 3 videos are shorter than the 3 frames" in caplog.text


@pytest.mark.parametrize("video, transform, message", [
    ("new_height: 4", "", "layer 'd': new_height and new_width go together"),
    ("batch_size: 0", "", "at least one clip"),
    ("frame_stride: 0", "", "frame_stride must be at least 1"),
    ("rate: -1", "", "rate is not a number of frames"),
    ("rand_skip: 3", "", "rand_skip is not smaller.*less than 3"),
    ("", "crop_size: 7", "list.txt:1: layer 'd': video 'root.v0': the picture is smaller than the"),
    ("", "mean_value: 1 mean_value: 2", "mean values do not fit"),
    ("modality: FLOW", "", "video 'v0' .*these are frames, not pictures of flow"),
    ("faithful: true", "", "crop_size is not given"),
    ("faithful: true", "crop_size: 6", "not larger than the crop"),
    ("faithful: true", 'crop_size: 4 mean_file: "mean.binaryproto"', "has no mean picture"),
    ("faithful: true frame_stride: 3", "crop_size: 4", "reader stops at video 'root.v0', which has "
     "too few frames, and 2 more .got 7, wanted at least 8"),
    ('root_folder: "nowhere"', "", "list.txt:1: .*'v0' is missing, and 2 more of 3.*'nowhere'")])
def test_wrong_definitions(folder, build, video, transform, message):
    write_blob_proto("mean.binaryproto", np.zeros((1, 3, 6, 8), np.float32))
    text = definition(video, transform)
    if "root_folder" in video:
        text = text.replace('root_folder: "root"', "")
    with pytest.raises(DataError, match=message):
        build(text)


def test_clip_length_is_at_least_one(folder, build):
    with pytest.raises(DataError, match="clip_length must be at least 1"):
        build(definition().replace("clip_length: 3", "clip_length: 0"))
    with pytest.raises(DataError, match="no source is given"):
        build(definition().replace('source: "list.txt"', ""))


def test_videos_of_several_sizes(folder, build):
    write_frames(folder / "root" / "v1", noisy(1, 7, 300, 400), "rgb")
    write_frames(folder / "root" / "v2", noisy(1, 7, 300, 402), "rgb")
    write_list(folder, "v0 0", "v1 1")
    with pytest.raises(DataError, match=r"list.txt:2: layer 'd': video 'root.v1' has another size "
                                        r"than the first .got \(3, 300, 400\), wanted \(3, 240, "):
        build(definition("new_height: 0"))
    assert build(definition("new_height: 0", "crop_size: 20")).top[0].shape == (3, 3, 20, 20)
    assert build(definition()).top[0].shape == (3, 3, 6, 8)


@pytest.mark.parametrize("video, transform, message", [
    ("", "flow: true", "flow has no effect in transform_param; modality says"),
    ("", "force_gray: true", "force_gray has no effect in transform_param; frames have three"),
    ("faithful: true", "crop_size: 4 mirror: true", "mirror has no effect")])
def test_fields_without_effect_are_warned_about(folder, build, caplog, video, transform, message):
    build(definition(video, transform))
    assert message in caplog.text


def test_no_warning_for_a_plain_definition(folder, build, caplog):
    build(definition("batch_size: 2 shuffle: true", "crop_size: 4 mirror: true"))
    assert not caplog.text


NET = """
layer {{ name: "d" type: "VideoData" top: "data" top: "label" top: "cont"
  transform_param {{ {transform} }}
  video_data_param {{ source: "list.txt" root_folder: "root" clip_length: 3 batch_size: 2 {size} }}
}}
layer {{ name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param {{ num_output: 4 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "rx" type: "Reshape" bottom: "ip" bottom: "cont" top: "x"
  reshape_param {{ num_axes: 1 }} }}
layer {{ name: "lstm" type: "LSTM" bottom: "x" bottom: "cont" top: "h"
  recurrent_param {{ num_output: 5 weight_filler {{ type: "uniform" min: -0.1 max: 0.1 }} }} }}
layer {{ name: "fc" type: "InnerProduct" bottom: "h" top: "fc"
  inner_product_param {{ num_output: 3 axis: 2 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss"
  softmax_param {{ axis: 2 }} }}
"""


def net(transform="", size="new_height: 6 new_width: 8"):
    return NET.format(transform=transform, size=size)


def test_a_recurrent_net_takes_the_clips(folder, backend):
    for number in range(3):
        write_frames(folder / "root" / f"v{number}", marked(number, 7), "rgb")
    made = Net(parse_net(net(), "net.prototxt"), backend, phase=TEST)
    made.forward()
    assert made.blobs["label"].host_data.tolist() == [[0, 1]] * 3
    assert made.blobs["cont"].host_data.tolist() == [[0, 0], [1, 1], [1, 1]]
    # Step t of stream n is frame t of clip n: had T and N changed places, clips would be mixed.
    assert made.blobs["x"].shape == (3, 2, 4)
    for step, stream in np.ndindex(3, 2):
        picture = made.blobs["data"].host_data[step * 2 + stream]
        assert picture[1, 2, 3] == 2 + step + 50 * stream
        np.testing.assert_array_equal(made.blobs["x"].host_data[step, stream],
                                      made.blobs["ip"].host_data[step * 2 + stream])
    made.close()


def test_a_reshape_with_numbers_takes_them_too(folder, backend):
    """As the nets of the original reader have, whose tops were (T*N,)."""
    text = net().replace("reshape_param { num_axes: 1 }", "reshape_param { shape { dim: 3 dim: 2 "
                         "dim: 4 } }").replace(' bottom: "cont" top: "x"', ' top: "x"')
    text = text.replace('layer { name: "lstm"', 'layer { name: "rc" type: "Reshape" bottom: "cont" '
                        'top: "c" reshape_param { shape { dim: 3 dim: 2 } } } layer { name: "lstm"')
    made = Net(parse_net(text.replace('bottom: "x" bottom: "cont"', 'bottom: "x" bottom: "c"'),
                         "net.prototxt"), backend, phase=TEST)
    made.forward()
    assert made.blobs["c"].host_data.tolist() == [[0, 0], [1, 1], [1, 1]]
    made.close()


@pytest.mark.parametrize("transform, size, shape, notes", [
    ("crop_size: 5", "", (6, 3, 5, 5), []),
    ("", "new_height: 6 new_width: 8", (6, 3, 6, 8), []),
    ("", "", (6, 3, 240, 320), ["frames of 240 x 320 are assumed"])])
def test_shapes_are_known_without_data(transform, size, shape, notes):
    definition = parse_net(net(transform, size), "net.prototxt")
    guess = guess_shapes(definition.layers[0], definition.layers)
    assert guess.shapes == [shape, (3, 2), (3, 2)]
    look = look_at(definition, make_state(TRAIN))
    texts = [problem.text for problem in look.problems]
    assert not [problem for problem in look.problems if problem.severity == "error"]
    assert any("'list.txt' is not there, and training needs it" in text for text in texts)
    assert all(any(note in text for text in texts) for note in notes)
    assert len(texts) == 1 + len(notes)


def test_check_finds_what_is_wrong_with_videos_that_are_there(folder):
    (folder / "root" / "v1" / "v1.0002.png").unlink()
    look = look_at(parse_net(net(), "net.prototxt"), make_state(TRAIN))
    errors = [problem.text for problem in look.problems if problem.severity == "error"]
    assert len(errors) == 1 and "frames are missing, or too many" in errors[0]
