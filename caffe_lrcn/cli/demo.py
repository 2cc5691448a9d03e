"""``caffe-lrcn demo``: the default job on generated pictures, and a page to look at."""
from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import runtime
from .caption import DEFAULT_IMAGE_NET, DEFAULT_NET, DEFAULT_SIDE

if TYPE_CHECKING:
    from ..tasks.toy.embedded import Embedded
    from ..tasks.toy.page import Shown

SOLVER = "prototxt/lrcn_solver.prototxt"
#: Pictures of each test split that the page shows.
SHOWN = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--out", type=Path, default=Path("out/demo"),
                        help="folder of the page (%(default)s)")
    parser.add_argument("--images", type=int, default=8000, metavar="N",
                        help="training pictures to generate (%(default)s)")
    parser.add_argument("--convnet-iterations", type=int, metavar="N",
                        help="train the picture net so long (as its solver says)")
    parser.add_argument("--iterations", type=int, metavar="N",
                        help="train the captioner so long (as its solver says)")


def run(args: argparse.Namespace) -> int:
    """Do what is missing of: data, picture net, captioner, page. Return the exit code."""
    start = time.monotonic()
    from .. import glog
    from ..layer_types.base import Settings
    from ..tasks.toy import embedded
    glog.start()
    data = embedded.Embedded(args.images, Settings(workers=runtime.default_workers()))
    if embedded.captions_missing():
        data.make_captions()
    data.make_toy()
    if not embedded.CONVNET.exists():
        data.make_convnet(args.convnet_iterations)
    weights = _train(data, args.iterations)
    page = _report(weights, args.out)
    print(f"{page} ({time.monotonic() - start:.0f} s)")
    return 0


def _train(data: Embedded, iterations: int | None) -> Path:
    """Train the captioner unless its weights are there; return their path."""
    from ..tasks.toy.embedded import weights_of
    weights = weights_of(SOLVER, iterations)
    if weights.exists():
        print(f"{weights} is there already", file=sys.stderr)
        return weights
    return data.train(SOLVER, f"There is no {weights}: training the captioner", iterations)


def _report(weights: Path, out: Path) -> Path:
    """Caption the test pictures, judge the captions and write the page."""
    from .. import glog
    from ..tasks.toy.page import write_page
    glog.start(min_level=1)  # how the nets for captioning are built is of no interest here
    rows = [["test pictures", "content", "shapes", "colours", "relation", "BLEU-4", "CIDEr-D"]]
    galleries = []
    for split, name in (("test_seen", "seen combinations"), ("test_unseen", "unseen combinations")):
        row, shown = _score(weights, split)
        rows.append([name, *row])
        galleries.append((f"Pictures with {name}", shown[:SHOWN]))
    for row in rows:
        print("".join(f"{cell:<22}" if i == 0 else f"{cell:>10}" for i, cell in enumerate(row)))
    out.mkdir(parents=True, exist_ok=True)
    write_page(out / "index.html",
               "A two-layer factored LRCN, trained on generated pictures; captions of pictures "
               "that it has not seen. A caption is right if it names every object, its colour, and "
               "the relation. Unseen: an object of this shape and colour never stood there in "
               "training.", rows, _curves(), galleries)
    (out / "scores.json").write_text(json.dumps(
        {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[1:]}, indent=1))
    return out / "index.html"


def _curves() -> list[str]:
    """Return the drawings of how both trainings went, as far as their logs are there."""
    from ..paths import resolve
    from ..proto.text import read_solver
    from ..tasks.toy.embedded import CONVNET_SOLVER
    from ..tasks.toy.page import curve, read_curve
    wanted = [(CONVNET_SOLVER, "picture net: training loss", "train", "mean_loss"),
              (SOLVER, "captioner: training loss per word", "train", "cross_entropy_loss"),
              (SOLVER, "captioner: share of next words guessed", "test 0", "accuracy")]
    drawn = []
    for solver, title, net, column in wanted:
        log = Path(f"{read_solver(resolve(solver)).param.snapshot_prefix}_log.csv")
        drawn.append(curve(title, read_curve(log, net, column)) if log.exists() else "")
    return drawn


def _score(weights: Path, split: str) -> tuple[list[str], list[Shown]]:
    from ..metrics.bleu import bleu
    from ..metrics.cider import cider_d
    from ..metrics.ngrams import NgramTable
    from ..metrics.ptb import Tokenizer
    from ..paths import resolve
    from ..tasks.captioning import Decoder, FeatureNet, Vocabulary
    from ..tasks.toy import embedded, judge, read_scenes
    from ..tasks.toy.page import Shown
    captions = embedded.TOY / f"captions_{split}.json"
    scenes, references = read_scenes(captions), _references(captions)
    paths = [embedded.TOY / "images" / name for name in scenes]
    vocabulary = Vocabulary.read(embedded.CAPTIONS / "vocabulary.txt")
    features = FeatureNet(resolve(DEFAULT_IMAGE_NET), weights, full=DEFAULT_SIDE).features(paths)
    decoder = Decoder(resolve(DEFAULT_NET), weights, words=len(vocabulary))
    said = [vocabulary.sentence(found[0].words) for found in decoder.greedy(features)]
    judged = [judge(text, scene) for text, scene in zip(said, scenes.values(), strict=True)]
    table = NgramTable([" ".join(words) for words in Tokenizer().many(said)],
                       [[" ".join(words) for words in Tokenizer().many(references[name])]
                        for name in scenes])
    shares = [sum(getattr(item, part) for item in judged) / len(judged)
              for part in ("right", "shapes", "colours", "relation")]
    row = [f"{share:.1%}" for share in shares]
    row += [f"{bleu(table)[0][3]:.3f}", f"{cider_d(table)[0]:.3f}"]
    return row, [Shown(path, text, item.right, references[path.name])
                 for path, text, item in zip(paths, said, judged, strict=True)]


def _references(captions: Path) -> dict[str, list[str]]:
    """Return the captions of each picture, by file name."""
    data = json.loads(captions.read_text(encoding="utf-8"))
    names = {image["id"]: image["file_name"] for image in data["images"]}
    found: dict[str, list[str]] = {name: [] for name in names.values()}
    for annotation in data["annotations"]:
        found[names[annotation["image_id"]]].append(annotation["caption"])
    return found
