"""Words, ids and the vocabulary file."""
import pytest

from caffe_lrcn.errors import DataError, UsageError
from caffe_lrcn.language.vocabulary import Vocabulary


def test_ids_follow_count_then_alphabet(tmp_path):
    captions = [["b", "a", "c"], ["b", "a"], ["b", "rare"], ["c"]]
    vocabulary = Vocabulary.from_captions(captions, min_count=2)
    vocabulary.write(tmp_path / "vocabulary.txt")
    assert (tmp_path / "vocabulary.txt").read_bytes() == b"<unk>\nb\na\nc\n"
    assert vocabulary.ids(["b", "a", "c", "rare"]) == [2, 3, 4, 1]
    assert len(vocabulary) == 5


def test_default_minimum_is_five():
    vocabulary = Vocabulary.from_captions([["five"] * 5, ["four"] * 4])
    assert vocabulary.words == ("<EOS>", "<unk>", "five")


def test_file_round_trip_with_odd_tokens(tmp_path):
    words = ["é", ", \"", "\u2028\u00a0x", "?!"]
    Vocabulary(words).write(tmp_path / "v.txt")
    assert Vocabulary.read(tmp_path / "v.txt").words[2:] == tuple(words)


@pytest.mark.parametrize("text, message", [
    ("a\nb\n", "v.txt:1: not a vocabulary"),
    ("<unk>\na\n\nb\n", "v.txt:3: blank line"),
    ("<unk>\na\nb\na\n", "v.txt:4: 'a' is already on line 2"),
])
def test_damaged_files(tmp_path, text, message):
    (tmp_path / "v.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        Vocabulary.read(tmp_path / "v.txt")


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match="none.txt: cannot read the vocabulary: No such file"):
        Vocabulary.read(tmp_path / "none.txt")


def test_binary_file(tmp_path):
    (tmp_path / "v.txt").write_bytes(b"\xf6\x00")
    with pytest.raises(DataError, match="v.txt: the vocabulary is not UTF-8 text"):
        Vocabulary.read(tmp_path / "v.txt")


@pytest.mark.parametrize("ids, sentence", [
    ([2, 3, 0], "A dog."), ([2, 3], "A dog..."), ([0], ""), ([], ""), ([1, 0], "<unk>."),
])
def test_sentence(ids, sentence):
    assert Vocabulary(["a", "dog"]).sentence(ids) == sentence


def test_sentence_of_an_unknown_id():
    with pytest.raises(UsageError, match=r"id 4, wanted 0 to 3"):
        Vocabulary(["a", "dog"]).sentence([2, 4])


@pytest.mark.parametrize("lines", [["<en_unk>", "a", "man"], ["a 12 x", "<en_unk> 9", "man 3"]])
def test_s2vt_s_vocabulary(lines, tmp_path):
    """The unknown word is 1 wherever it stands; a line's first word counts."""
    file = tmp_path / "vocabulary.txt"
    file.write_text("\n".join(lines) + "\n")
    vocabulary = Vocabulary.read(file)
    assert vocabulary.ids(["a", "man", "dog"]) == [2, 3, 1] and len(vocabulary) == 4
    assert vocabulary.sha256 == Vocabulary(["a", "man"]).sha256


@pytest.mark.parametrize("text, message", [
    ("<en_unk>\na\na 5\n", "'a' is already on line 2"),
    ("<en_unk>\n\na\n", "blank line")])
def test_s2vt_s_vocabulary_damaged(text, message, tmp_path):
    (tmp_path / "v.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        Vocabulary.read(tmp_path / "v.txt")
