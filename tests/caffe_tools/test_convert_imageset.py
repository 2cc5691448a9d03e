"""convert_imageset and compute_image_mean, against what Caffe's own programs wrote."""
from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from caffe_lrcn.caffe_tools.compute_image_mean import database_mean
from caffe_lrcn.errors import DataError
from caffe_lrcn.proto.blob_proto import read_blob_proto
from caffe_lrcn.sources.datum import array_to_datum, parse_datum, pixels
from caffe_lrcn.sources.records.database import open_database
from tests.caffe_tools.scripts import GOLDEN, run
from tests.sources.databases import write_lmdb

pytest.importorskip("lmdb")


def records(path):
    database = open_database(str(path), "LMDB")
    found = [database.find(index) for index in range(database.count)]
    database.close()
    return found


@pytest.fixture
def pictures(tmp_path):
    """A folder with a colour PNG, a grey JPEG under an odd name, and a list with a bad line."""
    rng = np.random.default_rng(2)
    Image.fromarray(rng.integers(0, 256, (5, 4, 3), np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(rng.integers(0, 256, (5, 4), np.uint8)).save(tmp_path / "b c.JPEG")
    (tmp_path / "list.txt").write_text("a.png 3\n\nmissing.png 1\nb c.JPEG 2\n")
    return tmp_path


def convert(folder, *flags):
    assert run("convert_imageset", *flags, f"{folder}/", folder / "list.txt", folder / "db") == 0
    return {key: parse_datum(content) for key, content in records(folder / "db")}


def test_reproduces_caffe_s_database(tmp_path):
    assert run("convert_imageset", "-resize_height=32", "-resize_width", "40", f"{GOLDEN}/",
               GOLDEN / "list.txt", tmp_path / "db") == 0
    ours, caffes = records(tmp_path / "db"), records(GOLDEN / "images_lmdb")
    assert [key for key, _ in ours] == [key for key, _ in caffes]
    for (_, mine), (_, wanted) in zip(ours, caffes, strict=True):
        mine, wanted = parse_datum(mine), parse_datum(wanted)
        difference = np.abs(pixels(mine).astype(int) - pixels(wanted))
        assert difference.max() <= 1
        mine.data = wanted.data
        assert mine.SerializeToString() == wanted.SerializeToString()


def test_reproduces_caffe_s_mean(tmp_path):
    assert run("compute_image_mean", GOLDEN / "images_lmdb", tmp_path / "mean") == 0
    assert (tmp_path / "mean").read_bytes() == (GOLDEN / "mean.binaryproto").read_bytes()


def test_the_mean_of_each_channel_is_logged(capsys):
    assert run("compute_image_mean", GOLDEN / "images_lmdb") == 0
    log = capsys.readouterr().err
    means = read_blob_proto(GOLDEN / "mean.binaryproto")[0].mean(axis=(1, 2))
    assert "Number of channels: 3" in log
    for channel, mean in enumerate(means):
        assert f"mean_value channel [{channel}]: {mean:g}\n" in log


def test_keys_count_every_line_and_unreadable_pictures_are_left_out(pictures, capsys):
    found = convert(pictures)
    assert list(found) == [b"00000000_a.png", b"00000003_b c.JPEG"]
    assert [datum.label for datum in found.values()] == [3, 2]
    assert f"{pictures / 'list.txt'}:3: picture" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["-gray", "--gray", "-gray=true", "--gray=1"])
def test_grey(pictures, flag):
    assert {datum.channels for datum in convert(pictures, flag).values()} == {1}


@pytest.mark.parametrize("flag", ["-gray=false", "--nogray", "-logtostderr"])
def test_colour(pictures, flag):
    assert {datum.channels for datum in convert(pictures, flag).values()} == {3}


def test_files_are_kept_as_they_are_only_with_the_wanted_channels(pictures):
    colour, grey = convert(pictures, "-encoded").values()
    assert colour.encoded and colour.data == (pictures / "a.png").read_bytes()
    assert grey.data != (pictures / "b c.JPEG").read_bytes()
    with Image.open(io.BytesIO(grey.data)) as picture:
        assert (picture.format, picture.mode) == ("JPEG", "RGB")


def test_grey_files_are_kept_as_they_are_if_grey_is_wanted(pictures):
    colour, grey = convert(pictures, "-encoded", "-gray").values()
    assert grey.data == (pictures / "b c.JPEG").read_bytes()
    assert pixels(colour).shape == (5, 4, 1)


def test_encode_type_implies_encoding_and_resizing_encodes_again(pictures):
    found = convert(pictures, "-encode_type=png", "-resize_height=3", "-resize_width=2").values()
    for datum in found:
        assert datum.encoded and datum.data.startswith(b"\x89PNG")
        assert pixels(datum).shape == (3, 2, 3)


def test_unknown_encode_type(pictures, capsys):
    assert run("convert_imageset", "-encode_type=nothing", f"{pictures}/", pictures / "list.txt",
               pictures / "db") == 1
    assert "got nothing" in capsys.readouterr().err


@pytest.mark.parametrize("encoded", [(), ("-encoded",)])
def test_check_size(pictures, capsys, encoded):
    words = f"{pictures}/", pictures / "list.txt"
    assert run("convert_imageset", "-check_size", *encoded, *words, pictures / "db") == 0
    Image.new("RGB", (9, 5)).save(pictures / "missing.png")
    assert run("convert_imageset", "-check_size", *encoded, *words, pictures / "other") == 1
    assert "list.txt:3: picture" in capsys.readouterr().err


def test_shuffling_keeps_pictures_with_their_labels(tmp_path):
    for value in range(12):
        Image.new("L", (2, 2), value).save(tmp_path / f"{value}.png")
    (tmp_path / "list.txt").write_text("".join(f"{value}.png {value}\n" for value in range(12)))
    found = convert(tmp_path, "-shuffle")
    labels = [datum.label for datum in found.values()]
    assert labels != sorted(labels) and sorted(labels) == list(range(12))
    for number, (key, datum) in enumerate(found.items()):
        assert key == b"%08d_%d.png" % (number, datum.label)
        assert set(datum.data) == {datum.label}


def test_wrong_usage_gives_1(capsys):
    with pytest.raises(SystemExit) as left:
        run("convert_imageset", "only", "two")
    assert left.value.code == 1
    assert "usage:" in capsys.readouterr().err


def test_an_existing_database_is_not_touched(pictures, capsys):
    convert(pictures)
    assert run("convert_imageset", f"{pictures}/", pictures / "list.txt", pictures / "db") == 1
    assert "exists already" in capsys.readouterr().err


def test_mean_of_float_records_in_double_precision(tmp_path):
    # 2**24 + 1 is no float32: single precision would drop the ones.
    values = [2.0**24, 1.0, 1.0, 1.0]
    path = write_lmdb(tmp_path / "db", [array_to_datum(np.full((1, 1, 1), value, np.float32))
                                        for value in values])
    assert database_mean(path) == np.float32((2**24 + 3) / 4)


def test_mean_of_pictures_of_different_sizes(tmp_path):
    path = write_lmdb(tmp_path / "db", [np.zeros((1, 2, 2), np.uint8), np.zeros((1, 2, 3), "u1")])
    with pytest.raises(DataError, match="record '00000001' has another size"):
        database_mean(path)
