"""A small data set: three pictures, one of them missing, and captions with flaws."""
import json

import pytest
from PIL import Image

CAPTIONS = [(1, "A red square."), (1, "The square is red."), (2, "A blue picture."), (2, "  "),
            (2, "A very long caption of a blue picture with many many more words than fit."),
            (3, "Nobody sees this."), (1, "A red picture.")]


@pytest.fixture
def coco(tmp_path):
    """A folder with captions.json and pictures (red.jpg, blue picture.png; gone.jpg missing)."""
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (40, 30), (200, 20, 10)).save(tmp_path / "pictures" / "red.jpg")
    Image.new("RGB", (25, 35), (10, 20, 200)).save(tmp_path / "pictures" / "blue picture.png")
    names = ["red.jpg", "blue picture.png", "gone.jpg"]
    (tmp_path / "captions.json").write_text(json.dumps({
        "images": [{"id": i, "file_name": name} for i, name in enumerate(names, 1)],
        "annotations": [{"image_id": i, "caption": text} for i, text in CAPTIONS]}))
    return tmp_path
