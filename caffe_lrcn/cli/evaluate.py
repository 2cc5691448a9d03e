"""``caffe-lrcn evaluate``: score captions against references."""
from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..metrics import Diversity, Results, Scores


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("results", metavar="RESULTS", type=Path,
                        help='COCO results: [{"image_id": 1, "caption": "..."}, ...]; or lines '
                             'that end in <TAB>video<TAB>sentence')
    parser.add_argument("references", metavar="REFERENCES", type=Path,
                        help="COCO captions: JSON with 'images' and 'annotations'; or lines "
                             "video<TAB>sentence")
    parser.add_argument("--train", metavar="CAPTIONS", type=Path,
                        help="training captions, in the form of the references: also tells how "
                             "many results are copies of one")
    parser.add_argument("--json", metavar="OUT", type=Path,
                        help="write the scores, those of each picture included, to this file")
    parser.add_argument("--percent", action="store_true",
                        help="also print BLEU-4 in per cent, as Table 9 of the LRCN paper has it")
    parser.add_argument("--human", action="store_true",
                        help="also score each reference against the others")
    parser.add_argument("--official", action="store_true",
                        help="run the original tools instead (needs Java and pycocoevalcap)")
    parser.add_argument("--paraphrases", metavar="TABLE", type=Path,
                        help="METEOR's paraphrase table (paraphrase-en.gz): adds that module")


def run(args: argparse.Namespace) -> int:
    """Print the table and write the JSON; return the exit code."""
    from functools import partial

    from ..errors import UsageError
    from ..language.ptb_tokens import PTBTokenizer
    from ..metrics import (
        Meteor,
        diversity,
        official_scores,
        own_scores,
        read_references,
        read_results,
        score_humans,
        wordnet,
    )
    if args.official and args.paraphrases:
        raise UsageError("--paraphrases is of no use with --official, which has its own table")
    results = read_results(args.results, read_references(args.references))
    train = read_references(args.train) if args.train else None
    tokenizer = PTBTokenizer()
    scorer = official_scores if args.official else partial(
        own_scores, tokenizer=tokenizer, meteor=Meteor(wordnet(), args.paraphrases))
    rows = {"results": scorer(results.candidates, results.references)}
    if args.human:
        rows["human"] = score_humans(results.references, scorer)
    spread = diversity(results.candidates, results.references,
                       None if train is None else (text for texts in train.values()
                                                   for text in texts), tokenizer)
    if results.missing:
        print(f"note: {len(results.missing)} of {len(results.missing) + len(results.images)} "
              f"pictures have no result and are left out", file=sys.stderr)
    try:
        if args.json:
            _write(args.json, rows, results, spread)
    finally:  # a reader like `head` must not cost the file, nor a full disk the table
        print(_table(rows, results, spread, args.percent))
    return 0


def _table(rows: dict[str, Scores], results: Results, spread: Diversity, percent: bool) -> str:
    from ..metrics import METRICS
    scores = rows["results"]
    width = max(len(scores.name(metric)) for metric in METRICS)
    lines = [f"{len(results.images)} pictures, {sum(map(len, results.references))} references",
             " ".join([" " * width, *(f"{row:>8}" for row in rows)]).rstrip()]
    lines += [" ".join([f"{scores.name(metric):<{width}}",
                        *(f"{row.corpus[metric]:8.4f}" for row in rows.values())])
              for metric in METRICS]
    if percent:
        values = " ".join(f"{100 * row.corpus['BLEU-4']:8.1f}" for row in rows.values())
        lines.append(f"{'BLEU-4 in %':<{width}} {values}  (corpus, all references, PTB tokens)")
    lines.append(f"words of the references used: {spread.used} of {spread.words} "
                 f"({spread.vocabulary:.1%})")
    if spread.copied is not None:
        lines.append(f"captions equal to a training caption: {spread.copied:.1%}")
    return "\n".join(lines)


def _write(path: Path, rows: dict[str, Scores], results: Results, spread: Diversity) -> None:
    import json
    from dataclasses import asdict

    from ..errors import DataError
    from ..files import new_file
    scores = rows["results"]
    report = {
        **scores.corpus, "names": scores.names, "images": len(results.images),
        "missing": results.missing, "diversity": asdict(spread),
        "per_image": {image: {metric: float(values[i])
                              for metric, values in scores.per_image.items()}
                      for i, image in enumerate(results.images)},
    }
    if "human" in rows:
        report["human"] = rows["human"].corpus
    with new_file(path, DataError, "the scores") as file:
        file.write(json.dumps(report, indent=1) + "\n")
