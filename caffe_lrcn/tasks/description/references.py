"""Sentences of clips as references: a captions file in COCO's form, for ``evaluate``."""
from __future__ import annotations

import json
import os

from ...errors import DataError
from ...files import new_file
from .role_records import Roles


def write_references(path: str | os.PathLike[str], roles: Roles) -> int:
    """Write the sentences of clips in COCO's form; return how many clips have some.

    ``id`` of an image is the clip's, ``file_name`` its video, or its id if it has none.

    Raises:
        DataError: no clip has sentences, or the file cannot be written.
    """
    known = [(name, video or name, texts) for name, video, texts
             in zip(roles.ids, roles.videos, roles.sentences, strict=True) if texts]
    if not known:
        raise DataError("no clip has sentences", where=roles.path)
    images = [{"id": name, "file_name": video} for name, video, _ in known]
    annotations = [{"image_id": name, "caption": text} for name, _, texts in known
                   for text in texts]
    for number, annotation in enumerate(annotations):
        annotation["id"] = str(number)
    with new_file(path, DataError, "the references") as file:
        json.dump({"images": images, "annotations": annotations}, file, ensure_ascii=False)
        file.write("\n")
    return len(known)
