"""Reading caption files."""
import json

import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import DataError
from caffe_lrcn.language.caption_files import (
    picture_path,
    read_captions,
    read_keys,
    read_pictures,
    split_by_picture,
)


def coco(path, images, annotations):
    path.write_text(json.dumps({
        "images": [{"id": number, "file_name": name} for number, name in images],
        "annotations": [{"image_id": number, "caption": text} for number, text in annotations]}),
        encoding="utf-8")
    return path


def test_coco_in_the_order_of_its_pictures(tmp_path):
    file = coco(tmp_path / "c.json", [(9, "b.jpg"), (4, "a.jpg")],
                [(4, "one"), (9, "two é"), (4, "three")])
    found = [(c.picture, c.text) for c in read_captions("coco", file)]
    assert found == [("b.jpg", "two é"), ("a.jpg", "one"), ("a.jpg", "three")]


def test_coco_split_by_ids(tmp_path):
    file = coco(tmp_path / "c.json", [(9, "b.jpg"), (4, "a.jpg")], [(4, "one"), (9, "two")])
    (tmp_path / "ids.txt").write_text("4\n\n")
    found = read_captions("coco", file, read_keys(tmp_path / "ids.txt"))
    assert [c.picture for c in found] == ["a.jpg"]


@pytest.mark.parametrize("text, message", [
    ("a.jpg#0\tA dog", "not JSON"),
    ("[1]", "not a COCO caption file"),
    ('{"images": [], "annotations": null}', "not a COCO caption file"),
    ('{"images": [{"id": 1, "file_name": "a.jpg"}, {"id": 1, "file_name": "b.jpg"}], '
     '"annotations": []}', r"images\[1\]: two images have this id \(got id 1: b.jpg"),
    ('{"images": [{"id": 1}], "annotations": []}', r"images\[0\]: no 'file_name'"),
    ('{"images": [], "annotations": [{"image_id": 3, "caption": "x"}]}',
     r"annotations\[0\]: caption of an image that is not listed \(got image_id 3\)"),
    ('{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 1, '
     '"caption": 7}]}', r"annotations\[0\]: a caption of a.jpg is not text"),
    ('{"images": [], "annotations": []}', "no captions found"),
    ('{"images": [{"id": [], "file_name": "a"}], "annotations": []}',
     r"images\[0\]: 'id' is neither a whole number nor text \(got \[\]"),
    ('{"images": [], "annotations": [{"image_id": {}, "caption": "x"}]}',
     r"annotations\[0\]: 'image_id' is neither a whole number nor text"),
    ('{"images": [{"id": true, "file_name": "a"}], "annotations": []}', "got True"),
    *[(f'{{"images": [{{"id": 1, "file_name": {name}}}], "annotations": []}}',
       r"images\[0\]: 'file_name' is not the name of a file")
      for name in ("7", "[]", "null", '""', '"a\\u0000b"', '"a\\nb"', '"\\ud800"')],
])
def test_bad_coco(tmp_path, text, message):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(DataError, match=message):
        read_captions("coco", tmp_path / "c.json")


@pytest.mark.parametrize("value, message", [
    (lambda: "[" * 100_000 + "]" * 100_000, "nested too deep"),
    (lambda: "[" * 900 + "]" * 900, r"is not text \(got \[\[\[\[\[\[\[...\]"),
    (lambda: "1" * 10_000, "the captions cannot be read")])
def test_deep_and_long_json(tmp_path, value, message):
    (tmp_path / "c.json").write_text('{"images": [{"id": 1, "file_name": "a"}], "annotations": '
                                     '[{"image_id": 1, "caption": ' + value() + "}]}")
    with pytest.raises(DataError, match=message):
        read_captions("coco", tmp_path / "c.json")


@pytest.mark.parametrize("name", ["../x.jpg", "/x.jpg", "a/../../x.jpg", ".."])
def test_names_stay_in_the_folder_of_pictures(tmp_path, name):
    for inside in ("x.jpg", "val/x.jpg", "a/../x.jpg", "..jpg", "x y.jpg"):
        assert picture_path(tmp_path, inside, "c.json") == tmp_path / inside
    with pytest.raises(DataError, match="c.json: the name of a picture leads out .* --anywhere"):
        picture_path(tmp_path, name, "c.json")
    assert picture_path(tmp_path, name, "c.json", anywhere=True) == tmp_path / name


@pytest.mark.parametrize("command", ["captions", "pictures"])
def test_commands_let_no_name_out(tmp_path, capsys, command):
    (tmp_path / "in").mkdir()
    for name in ("up.jpg", "in/a.jpg"):
        (tmp_path / name).touch()
    file = coco(tmp_path / "c.json", [(1, "a.jpg"), (2, "../up.jpg")], [(1, "one"), (2, "two")])
    words = ["data", command, "--format", "coco", "--captions", str(file), "--images",
             str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    assert main(words) == 1
    assert "'../up.jpg'). If you trust the file, give --anywhere." in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*words, "--anywhere"]) == 0


def test_long_runs_of_blanks_take_no_time(tmp_path):
    blanks = " " * 200_000
    (tmp_path / "t").write_text(f"a.jpg#0\tA{blanks}dog{blanks}.\n")
    assert read_captions("flickr", tmp_path / "t")[0].text == f"A{blanks}dog."
    (tmp_path / "t").write_text(f"image_name| comment_number| comment\na{blanks}b\n")
    with pytest.raises(DataError, match="not a caption line"):
        read_captions("flickr", tmp_path / "t")


def test_flickr_tokens(tmp_path):
    (tmp_path / "t").write_text("a.jpg#0\tA dog runs .\na.jpg#1\tTwo , \r\n\nb c.jpg#0\t\n")
    found = [(c.picture, c.text, c.where) for c in read_captions("flickr", tmp_path / "t")]
    assert found == [("a.jpg", "A dog runs.", f"{tmp_path}/t:1"),
                     ("a.jpg", "Two ,", f"{tmp_path}/t:2"),
                     ("b c.jpg", "", f"{tmp_path}/t:4")]


def test_flickr_csv(tmp_path):
    (tmp_path / "t").write_text('image,caption\na.jpg,A dog .\na.jpg,"One, ""two"""\n')
    found = [(c.picture, c.text) for c in read_captions("flickr", tmp_path / "t")]
    assert found == [("a.jpg", "A dog."), ("a.jpg", 'One, "two"')]


@pytest.mark.parametrize("text, message", [
    ("a.jpg#0\tA dog\na.jpg A cat\n", "t:2: not a caption line"),
    ("image,caption\na.jpg,one,two\n", "t:2: not a caption row"),
    ("hello\n", "t:1: neither a token file nor a CSV file"),
    ("", "t:1: neither"),
])
def test_bad_flickr(tmp_path, text, message):
    (tmp_path / "t").write_text(text)
    with pytest.raises(DataError, match=message):
        read_captions("flickr", tmp_path / "t")


def test_text_that_is_not_utf8(tmp_path):
    (tmp_path / "t").write_bytes(b"a.jpg#0\tcaf\xe9\n")
    with pytest.raises(DataError, match="not UTF-8"):
        read_captions("flickr", tmp_path / "t")


def test_split_keeps_pictures_together(tmp_path):
    (tmp_path / "t").write_text("".join(f"{i}.jpg#{k}\tx\n" for i in range(10) for k in range(3)))
    captions = read_captions("flickr", tmp_path / "t")
    train, val = split_by_picture(captions, 0.2, seed=3)
    assert (len(train), len(val)) == (24, 6)
    assert not {c.picture for c in train} & {c.picture for c in val}
    assert split_by_picture(captions, 0.2, seed=3) == (train, val)
    assert split_by_picture(captions, 0.2, seed=4) != (train, val)


@pytest.mark.parametrize("text", [
    "image_name,comment_number,comment\na.jpg,0,A dog .\na.jpg,1,\"One, two\"\n",
    "image_name| comment_number| comment\na.jpg| 0| A dog .\na.jpg| 1   One, two\n"])
def test_flickr30k_forms(tmp_path, text):
    (tmp_path / "t").write_text(text)
    found = [(c.picture, c.text, c.where) for c in read_captions("flickr", tmp_path / "t")]
    assert found == [("a.jpg", "A dog.", f"{tmp_path}/t:2"),
                     ("a.jpg", "One, two", f"{tmp_path}/t:3")]


def test_flickr30k_bars_with_a_broken_line(tmp_path):
    (tmp_path / "t").write_text("image_name| comment_number| comment\na.jpg| 0| A\nbroken\n")
    with pytest.raises(DataError, match="t:3: not a caption line"):
        read_captions("flickr", tmp_path / "t")


def test_split_files_may_leave_out_the_suffix(tmp_path):
    (tmp_path / "t").write_text("1.jpg#0\tA dog\n2.jpg#0\tA cat\n3.jpg#0\tAn ox\n")
    found = read_captions("flickr", tmp_path / "t", {"1", "3.jpg"})
    assert [c.picture for c in found] == ["1.jpg", "3.jpg"]


def test_pictures_without_captions(tmp_path):
    (tmp_path / "info.json").write_text(json.dumps(
        {"images": [{"id": 9, "file_name": "b.jpg"}, {"id": 4, "file_name": "a.jpg"}],
         "categories": []}))
    assert read_pictures("coco", tmp_path / "info.json") == {"9": "b.jpg", "4": "a.jpg"}
    assert read_pictures("coco", tmp_path / "info.json", {"4"}) == {"4": "a.jpg"}
    with pytest.raises(DataError, match="the list 'annotations'"):
        read_captions("coco", tmp_path / "info.json")
    with pytest.raises(DataError, match="no pictures found.*--ids"):
        read_pictures("coco", tmp_path / "info.json", {"5"})


def test_pictures_of_flickr(tmp_path):
    (tmp_path / "t").write_text("b.jpg#0\tA dog\nb.jpg#1\tA cat\na.jpg#0\tAn ox\n")
    assert read_pictures("flickr", tmp_path / "t") == {"b.jpg": "b.jpg", "a.jpg": "a.jpg"}
