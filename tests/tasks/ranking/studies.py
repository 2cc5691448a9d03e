"""Small studies: pictures of one colour, and what systems say about them."""
from __future__ import annotations

from pathlib import Path

from PIL import Image

from caffe_lrcn.tasks.ranking.media import MediaFolder
from caffe_lrcn.tasks.ranking.store import Store
from caffe_lrcn.tasks.ranking.study import Study, read_study

SAID = {"human": ["A red square.", "A green <b>square</b> & more.", "A blue square."],
        "lrcn": ["A red thing.", "A green thing.", "A blue square."],
        "nn": ["A dog.", "<script>document.title = 'broken'</script>", "A cat."]}
COLOURS = ("red", "green", "blue")


def write_pictures(folder: Path) -> Path:
    """Write red.png, green.png and blue.png."""
    folder.mkdir(parents=True, exist_ok=True)
    for colour in COLOURS:
        Image.new("RGB", (64, 48), colour).save(folder / f"{colour}.png")
    return folder


def write_systems(folder: Path, said: dict[str, list[str]] = SAID) -> dict[str, Path]:
    """Write what each system says about each colour; return name -> file."""
    files = {name: folder / f"{name}.tsv" for name in said}
    for name, sentences in said.items():
        files[name].write_text("".join(f"{colour}\t{sentence}\n" for colour, sentence
                                       in zip(COLOURS, sentences, strict=True)))
    return files


def make_study(folder: Path) -> Study:
    """Return a study of three systems and three pictures; writes its files."""
    pictures = MediaFolder(write_pictures(folder / "pictures"))
    return read_study(write_systems(folder), pictures)[0]


def make_store(folder: Path) -> Store:
    """Return the new database of such a study."""
    study = make_study(folder)
    return Store.create(folder / "study.db", study, folder / "pictures", patience=0.1)
