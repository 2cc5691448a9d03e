"""``caffe-lrcn data role-streams``: roles and sentences as streams, and nets of their size."""
from __future__ import annotations

import argparse
from pathlib import Path

from . import runtime

SIZES = ("paper", "small")  # tasks.description.sized_nets.SIZES, not imported for a help text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--train", required=True, type=Path, metavar="ROLES",
                        help="roles and sentences of the training clips (.json or .h5)")
    parser.add_argument("--val", type=Path, metavar="ROLES", help="those of a split called val")
    parser.add_argument("--out", required=True, type=Path, help="folder to write to")
    parser.add_argument("--vocabulary", type=Path,
                        help="use this vocabulary (default: make one from the training split)")
    parser.add_argument("--min-count", type=int, default=5,
                        help="a word of the vocabulary occurs at least this often (5)")
    parser.add_argument("--size", choices=SIZES, default=SIZES[0],
                        help="which nets to write: of prototxt/description, or of its folder small "
                             "(%(default)s)")
    parser.add_argument("--streams", type=int,
                        help="sentences side by side (100 of size paper, 20 of size small)")
    parser.add_argument("--timesteps", type=int, default=20,
                        help="steps of a sentence, <EOS> included; longer ones are cut (20)")
    parser.add_argument("--seed", type=int, default=3, help="of the sentences' order (3)")
    parser.add_argument("--force", action="store_true", help="replace what is there")


def run(args: argparse.Namespace) -> int:
    """Write vocabulary, slots, streams and nets; return the exit code."""
    from ..errors import UsageError
    from ..language.vocabulary import Vocabulary
    from ..tasks.captioning.prepare import Recipe
    from ..tasks.description.role_streams import write_role_streams
    from ..tasks.description.roles import read_roles
    from ..tasks.description.sized_nets import SIZES as FOLDERS
    from ..tasks.description.sized_nets import check_nets, write_nets
    if args.min_count < 1:
        raise UsageError("--min-count must be positive", got=args.min_count)
    streams = FOLDERS[args.size][1] if args.streams is None else args.streams
    recipe = Recipe(args.out, streams, args.timesteps, seed=args.seed, force=args.force)
    check_nets(recipe)
    splits = {"train": read_roles(args.train)}
    if args.val:
        splits["val"] = read_roles(args.val)
    given = Vocabulary.read(args.vocabulary) if args.vocabulary else None
    vocabulary, counts = write_role_streams(recipe, splits, runtime.report, given, args.min_count)
    slots = splits["train"].slots
    write_nets(recipe, args.size, slots, vocabulary, counts)
    print(f"{len(vocabulary)} word ids, {len(slots)} slots, {splits['train'].states} labels; nets "
          f"of this size are in {args.out}")
    return 0
