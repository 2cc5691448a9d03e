"""The default job on generated pictures, and a page to look at."""
from __future__ import annotations

import json
import sys
from pathlib import Path

from ... import glog
from ...errors import DataError
from ...files import new_file
from ...language.caption_files import read_captions
from ...language.decoder import Decoder
from ...language.ptb_tokens import PTBTokenizer
from ...language.vocabulary import Vocabulary
from ...metrics.bleu import bleu
from ...metrics.cider import cider_d
from ...metrics.ngrams import NgramTable
from ...paths import resolve
from ...proto.text import read_solver
from ..captioning.pictures import FeatureNet
from .dataset import read_scenes
from .embedded import (
    CAPTIONS,
    CONVNET,
    CONVNET_SOLVER,
    TOY,
    Embedded,
    captions_missing,
    weights_of,
)
from .judge import judge
from .page import Shown, curve, read_curve, write_page

SOLVER = "prototxt/lrcn_solver.prototxt"
WORD_NET, IMAGE_NET = "prototxt/lrcn_word_deploy.prototxt", "prototxt/lrcn_image_deploy.prototxt"
#: Pictures of each test split that the page shows.
SHOWN = 12


def run_demo(data: Embedded, out: Path, convnet_iterations: int | None = None,
             iterations: int | None = None) -> Path:
    """Do what is missing of: data, picture net, captioner, page. Return the page's path.

    Args:
        data: how many pictures there are to be.
        out: folder of the page.
        convnet_iterations, iterations: replace ``max_iter`` of the solvers of picture net and
            captioner.
    """
    glog.start(brief=True)
    if captions_missing():
        data.make_captions()
    data.make_toy()
    data.check_captions()
    if not CONVNET.exists():
        data.make_convnet(convnet_iterations)
    weights = weights_of(SOLVER, iterations)
    if weights.exists():
        print(f"{weights} is there already", file=sys.stderr)
    else:
        data.train(SOLVER, f"There is no {weights}: training the captioner", iterations)
    return write_report(weights, out)


def write_report(weights: Path, out: Path) -> Path:
    """Caption the test pictures, judge the captions, print the scores and write the page.

    Args:
        weights: of the captioner.
        out: folder of the page.

    Raises:
        DataError: a file cannot be written.
    """
    glog.start(brief=True)  # how the nets for captioning are built is of no interest here
    rows = [["test pictures", "content", "shapes", "colours", "relation", "BLEU-4", "CIDEr-D"]]
    galleries = []
    for split, name in (("test_seen", "seen combinations"), ("test_unseen", "unseen combinations")):
        row, shown = _score(weights, split)
        rows.append([name, *row])
        galleries.append((f"Pictures with {name}", shown[:SHOWN]))
    for row in rows:
        print("".join(f"{cell:<22}" if i == 0 else f"{cell:>10}" for i, cell in enumerate(row)))
    write_page(out / "index.html",
               "A two-layer factored LRCN, trained on generated pictures; captions of pictures "
               "that it has not seen. A caption is right if it names every object, its colour, and "
               "the relation. Unseen: an object of this shape and colour never stood there in "
               "training.", rows, _curves(), galleries)
    with new_file(out / "scores.json", DataError, "the scores") as file:
        json.dump({row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[1:]},
                  file, indent=1)
    return out / "index.html"


def _curves() -> list[str]:
    """Return the drawings of how both trainings went, as far as their logs are there."""
    wanted = [(CONVNET_SOLVER, "picture net: training loss", "train", "mean_loss"),
              (SOLVER, "captioner: training loss per word", "train", "cross_entropy_loss"),
              (SOLVER, "captioner: next words guessed (training captions)", "test 0", "accuracy")]
    drawn = []
    for solver, title, net, column in wanted:
        log = Path(f"{read_solver(resolve(solver)).param.snapshot_prefix}_log.csv")
        drawn.append(curve(title, read_curve(log, net, column)) if log.exists() else "")
    return drawn


def _score(weights: Path, split: str) -> tuple[list[str], list[Shown]]:
    captions = TOY / f"captions_{split}.json"
    scenes, references = read_scenes(captions), _references(captions)
    paths = [TOY / "images" / name for name in scenes]
    vocabulary = Vocabulary.read(CAPTIONS / "vocabulary.txt")
    features = FeatureNet(resolve(IMAGE_NET), weights).features(paths)
    decoder = Decoder(resolve(WORD_NET), weights, words=len(vocabulary))
    said = [vocabulary.sentence(found[0].words) for found in decoder.greedy(features)]
    judged = [judge(text, scene) for text, scene in zip(said, scenes.values(), strict=True)]
    table = NgramTable([" ".join(words) for words in PTBTokenizer().many(said)],
                       [[" ".join(words) for words in PTBTokenizer().many(references[name])]
                        for name in scenes])
    shares = [sum(getattr(item, part) for item in judged) / len(judged)
              for part in ("right", "shapes", "colours", "relation")]
    row = [f"{share:.1%}" for share in shares]
    row += [f"{bleu(table)[0][3]:.3f}", f"{cider_d(table)[0]:.3f}"]
    return row, [Shown(path, text, item.right, references[path.name])
                 for path, text, item in zip(paths, said, judged, strict=True)]


def _references(captions: Path) -> dict[str, list[str]]:
    """Return the captions of each picture, by file name."""
    found: dict[str, list[str]] = {}
    for caption in read_captions("coco", captions):
        found.setdefault(caption.picture, []).append(caption.text)
    return found
