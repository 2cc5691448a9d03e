"""``caffe-lrcn evaluate-activity``: score what models say about videos, and compare models."""
from __future__ import annotations

import argparse
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DataError, UsageError
from ..printable import printable

if TYPE_CHECKING:
    from ..tasks.activity.evaluate import Comparison, Evaluation
    from ..tasks.activity.results import Results


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("results", nargs="+", type=Path, metavar="RESULTS",
                        help='a model\'s results on each split: {"classes": [...], "videos": '
                             '[{"name": "...", "label": 0, "probabilities": [...]}, ...]}')
    parser.add_argument("--with", nargs="+", type=Path, metavar="FILE", dest="nets", default=[],
                        action="append", help="fuse them with the results of another net, one "
                                              "file for each split; may be repeated")
    parser.add_argument("--weights", metavar="W", default="average",
                        help="of the fused nets: average (1/2, 1/2), third (1/3, 2/3), or numbers "
                             "such as 1,2 (%(default)s)")
    parser.add_argument("--against", nargs="+", type=Path, metavar="FILE",
                        help="compare with another model's results, one file for each split")
    parser.add_argument("--top", type=int, default=5, metavar="K",
                        help="also count videos whose class is among the first K (%(default)s)")
    parser.add_argument("--rows", type=int, default=10, metavar="N",
                        help="classes on each side of the table of differences (%(default)s)")
    parser.add_argument("--per-class", action="store_true", help="print each class's accuracy")
    parser.add_argument("--confusion", type=Path, metavar="FILE",
                        help="draw which classes are taken for which: .png, .svg or another")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all scores to this file")


def run(args: argparse.Namespace) -> int:
    """Print the tables and write the files; return the exit code."""
    from ..tasks.activity.evaluate import compare, evaluate
    if args.top < 1 or args.rows < 1:
        raise UsageError("--top and --rows must be positive", got=min(args.top, args.rows))
    model = _read(args)
    scores = evaluate(model, args.top)
    other = comparison = None
    if args.against:
        against = _splits(args.against, "--against", model)
        other, comparison = evaluate(against, args.top), compare(model, against)
    try:
        if args.confusion:
            _draw(args.confusion, scores, model)
        if args.json:
            _write(args.json, scores, other, comparison)
    finally:  # a full disk must not cost the table
        print(_accuracies(scores, other, model))
        if args.per_class:
            print("\n" + _classes(scores, other))
        if comparison:
            print("\n" + _differences(comparison, args.rows))
    return 0


def _read(args: argparse.Namespace) -> list[Results]:
    """Return the model's results on each split, fused if that is asked for."""
    from ..tasks.activity.results import fused, read_results
    from ..tasks.activity.windows import read_weights
    splits = [read_results(path) for path in args.results]
    for split in splits[1:]:
        if split.classes != splits[0].classes:
            raise DataError("the splits have different classes", where=split.path,
                            wanted=f"those of {splits[0].path}")
    if not args.nets:
        if args.weights != "average":
            raise UsageError("--weights needs --with")
        return splits
    weights = read_weights(args.weights, 1 + len(args.nets))
    nets = [_splits(paths, "--with", splits) for paths in args.nets]
    return [fused(parts, weights) for parts in zip(splits, *nets, strict=True)]


def _splits(paths: list[Path], flag: str, model: list[Results]) -> list[Results]:
    """Return the results of another model, in the order of the first one's splits and videos."""
    from ..tasks.activity.results import read_results
    if len(paths) != len(model):
        raise UsageError(f"{flag} takes one file for each split", got=len(paths),
                         wanted=len(model))
    return [read_results(path).in_order_of(split)
            for path, split in zip(paths, model, strict=True)]


def _accuracies(scores: Evaluation, other: Evaluation | None, model: list[Results]) -> str:
    columns = [f"accuracy {f'top-{scores.k}':>7}"]
    if other:
        columns.append(f" against {f'top-{scores.k}':>7}")
    names = [f"split {number}" for number in range(1, len(model) + 1)]
    lines = [f"{sum(len(split.names) for split in model)} videos, {len(scores.classes)} classes",
             f"{'':8}{'videos':>7}  " + "   ".join(columns)]
    for index, split in enumerate(model):
        values = "   ".join(f"{result.accuracies[index]:8.2%} {result.top[index]:7.2%}"
                            for result in (scores, other) if result)
        lines.append(f"{names[index]:8}{len(split.names):7}  {values}")
    if len(model) > 1:
        values = "   ".join(f"{result.mean:8.2%} {sum(result.top) / len(result.top):7.2%}"
                            for result in (scores, other) if result)
        lines.append(f"{'mean':8}{'':7}  {values}")
    return "\n".join(lines)


def _classes(scores: Evaluation, other: Evaluation | None) -> str:
    names = [printable(name) for name in scores.classes]
    width = max(5, *map(len, names))
    lines = [f"{'class':{width}} videos accuracy{'  against' if other else ''}"]
    for label, name in enumerate(names):
        values = " ".join(f"{_percent(result.per_class[label]):>8}"
                          for result in (scores, other) if result)
        lines.append(f"{name:{width}} {scores.confusion[label].sum():6} {values}")
    return "\n".join(lines)


def _percent(value: float) -> str:
    return "-" if value != value else f"{value:.2%}"


def _differences(comparison: Comparison, rows: int) -> str:
    """Return the classes where each model is better, as in the paper's Tables 2 and 3."""
    better = [entry for entry in comparison.differences if entry[1] > 0][:rows]
    worse = [entry for entry in reversed(comparison.differences) if entry[1] < 0][:rows]
    left, right = ([(printable(name), f"{100 * delta:+.2f}") for name, delta in side]
                   for side in (better, worse))
    width = max(len(name) for name, _ in (*left, *right, ("better here", "")))
    heads = f"{'better here':{width}} {'points':>7}", f"{'worse here':{width}} {'points':>7}"
    lines = ["   ".join(heads)]
    for one, two in zip_longest(left, right, fillvalue=("", "")):
        lines.append(f"{one[0]:{width}} {one[1]:>7}   {two[0]:{width}} {two[1]:>7}".rstrip())
    test = comparison.test
    how = "exact" if test.statistic is None else f"chi-square {test.statistic:.2f}"
    lines.append(f"right in one model only: {test.only_first} here, {test.only_second} in "
                 f"--against; McNemar's test: p = {test.p:.2g} ({how})")
    return "\n".join(lines)


def _draw(path: Path, scores: Evaluation, model: list[Results]) -> None:
    from ..drawing.confusion import draw_confusion
    from ..drawing.render import encode, extension_of, save
    title = (f"{len(model)} splits, mean accuracy" if len(model) > 1 else
             f"{len(model[0].names)} videos, accuracy") + f" {scores.mean:.2%}"
    save(path, encode(draw_confusion(scores.confusion, scores.classes, title), extension_of(path)))


def _write(path: Path, scores: Evaluation, other: Evaluation | None,
           comparison: Comparison | None) -> None:
    import json

    from ..files import new_file
    report = _report(scores)
    if other and comparison:
        test = comparison.test
        report |= {"against": _report(other), "differences": dict(comparison.differences),
                   "mcnemar": {"only_here": test.only_first, "only_against": test.only_second,
                               "p": test.p, "chi_square": test.statistic}}
    with new_file(path, DataError, "the scores") as file:
        file.write(json.dumps(report, indent=1) + "\n")


def _report(scores: Evaluation) -> dict[str, object]:
    return {"mean_accuracy": scores.mean, "accuracies": scores.accuracies,
            f"top_{scores.k}": scores.top, "classes": scores.classes,
            "per_class": [None if value != value else float(value) for value in scores.per_class],
            "confusion": scores.confusion.tolist()}
