"""The command that scores captions."""
from __future__ import annotations

import json

import pytest

from caffe_lrcn.cli import main as cli
from tests.harness.unread import run_unread
from tests.language.test_ptb_tokens import GOLDEN


@pytest.fixture
def files(tmp_path):
    """Write the golden captions as COCO files; return (results, references)."""
    images = json.loads(GOLDEN.read_text(encoding="utf-8"))["per_image"]
    results = [{"image_id": number, "caption": image["candidate"]}
               for number, image in enumerate(images.values())]
    references = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(images)],
        "annotations": [{"id": 10 * number + k, "image_id": number, "caption": text}
                        for number, image in enumerate(images.values())
                        for k, text in enumerate(image["references"])]}
    return write(tmp_path / "r.json", results), write(tmp_path / "c.json", references)


def write(path, content):
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def evaluate(*words) -> int:
    return cli.main(["evaluate", *map(str, words)])


def test_table_and_json(files, tmp_path, capsys):
    results, references = files
    out = tmp_path / "out.json"
    assert evaluate(results, references, "--train", references, "--human", "--json", out) == 0
    printed = capsys.readouterr()
    assert "150 pictures, 600 references" in printed.out
    assert "human" in printed.out and "METEOR (exact+stem" in printed.out
    assert "captions equal to a training caption: " in printed.out
    report = json.loads(out.read_text(encoding="utf-8"))
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    for metric in ("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr-D"):
        assert report[metric] == pytest.approx(golden["scores"][metric], abs=1e-6)
    assert 0.18 < report["METEOR"] < 0.21
    assert report["missing"] == [] and len(report["per_image"]) == 150
    for number, image in enumerate(golden["per_image"].values()):
        assert report["per_image"][str(number)]["CIDEr-D"] == pytest.approx(image["cider_d"],
                                                                           abs=1e-6)
    assert report["human"]["CIDEr-D"] > report["CIDEr-D"]


def test_bleu_4_in_per_cent(files, capsys):
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))["scores"]["BLEU-4"]
    assert evaluate(*files) == 0
    before = capsys.readouterr().out.splitlines()
    assert evaluate(*files, "--percent", "--human") == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "in %" in line]
    assert line.split()[:5] == ["BLEU-4", "in", "%", f"{100 * golden:.1f}", line.split()[4]]
    assert 0 < float(line.split()[4]) < 100 and "corpus, all references, PTB tokens" in line
    assert not any("%  " in text for text in before)


def test_the_file_is_whole_though_nobody_reads_the_output(files, tmp_path):
    out = tmp_path / "made" / "out.json"
    code, said = run_unread(["evaluate", *files, "--json", out])
    assert code == 1 and "Error" not in said and "Exception" not in said
    assert json.loads(out.read_text(encoding="utf-8"))["images"] == 150


def test_missing_pictures_are_counted(files, tmp_path, capsys):
    results, references = files
    write(results, json.loads(results.read_text(encoding="utf-8"))[:140])
    out = tmp_path / "out.json"
    assert evaluate(results, references, "--json", out) == 0
    assert "10 of 150 pictures have no result" in capsys.readouterr().err
    assert len(json.loads(out.read_text(encoding="utf-8"))["missing"]) == 10


def test_other_alphabets(tmp_path, capsys):
    results = write(tmp_path / "r.json", [{"image_id": "é", "caption": "Un café — 日本"}])
    references = write(tmp_path / "c.json", {
        "images": [{"id": "é", "file_name": "é.jpg"}],
        "annotations": [{"image_id": "é", "caption": "un CAFÉ, 日本"}]})
    assert evaluate(results, references) == 0
    assert "BLEU-3                1.0000" in capsys.readouterr().out


@pytest.mark.parametrize(("content", "message"), [
    ('[{"image_id": 1, "caption": "a"}', "r.json:1:33: the results are not JSON"),
    ('{"image_id": 1}', "got an object"),
    ("[]", "is empty"),
    ('["a"]', "entry 0: not a result"),
    ('[{"caption": "a"}]', "entry 0: no 'image_id' (got 'caption')"),
    ('[{"image_id": 1}]', "entry 0: no 'caption'"),
    ('[{"image_id": 1.5, "caption": "a"}]', "neither a whole number nor text"),
    ('[{"image_id": true, "caption": "a"}]', "neither a whole number nor text"),
    ('[{"image_id": 1, "caption": null}]', "'caption' is not text"),
    ('[{"image_id": 1, "caption": " "}]', "entry 0: the caption of image 1 is empty"),
    ('[{"image_id": 1, "caption": "a"}, {"image_id": 999, "caption": "a"}]',
     "entry 1: a caption of image 999, which has no references"),
    ('[{"image_id": 1, "caption": "a"}, {"image_id": 1, "caption": "b"}]',
     "entry 1: a second caption of image 1"),
])
def test_bad_results(files, tmp_path, capsys, content, message):
    results, references = files
    results.write_text(content, encoding="utf-8")
    out = tmp_path / "out.json"
    out.write_text("earlier scores", encoding="utf-8")
    assert evaluate(results, references, "--json", out) == 1
    error = capsys.readouterr().err
    assert message in error and "r.json" in error
    assert out.read_text(encoding="utf-8") == "earlier scores"


def test_files_that_cannot_be_read(files, tmp_path, capsys):
    results, references = files
    assert evaluate(tmp_path / "absent.json", references) == 1
    assert "cannot read the results" in capsys.readouterr().err
    assert evaluate(results, results) == 1
    assert "not a COCO caption file" in capsys.readouterr().err
    assert evaluate(results, references, "--json", results / "folder.json") == 1
    assert "the scores cannot be written" in capsys.readouterr().err
    results.write_bytes("[{\"image_id\": 1, \"caption\": \"café\"}]".encode("latin-1"))
    assert evaluate(results, references) == 1
    assert "not UTF-8" in capsys.readouterr().err


def test_official_has_its_own_paraphrases(files, capsys):
    assert evaluate(*files, "--official", "--paraphrases", "x") == 1
    assert "--paraphrases is of no use" in capsys.readouterr().err


def test_lines_of_videos_score_as_coco_files_do(files, tmp_path, capsys):
    """Predictions and references in the form of S2VT's scorer."""
    results, references = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    assert evaluate(*files) == 0
    wanted = capsys.readouterr().out
    (tmp_path / "p.txt").write_text("".join(
        f"beam_size_1\tvid{entry['image_id']}\t{entry['caption']}\n" for entry in results),
        encoding="utf-8")
    (tmp_path / "r.txt").write_text("".join(
        f"vid{entry['image_id']}\t{entry['caption']}\n" for entry in references["annotations"]),
        encoding="utf-8")
    assert evaluate(tmp_path / "p.txt", tmp_path / "r.txt") == 0
    assert capsys.readouterr().out == wanted
