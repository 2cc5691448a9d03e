"""``caffe-lrcn data roles``: check, convert and make files of roles, the describers' input."""
from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DataError, UsageError
from . import runtime

if TYPE_CHECKING:
    import numpy as np

    from ..tasks.description.role_records import Roles

_ROLES = (".json", ".h5", ".hdf5")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("inputs", nargs="+", metavar="FILE",
                        help="a file of roles (.json, .h5), or videos and folders of frames")
    parser.add_argument("--out", type=Path, metavar="FILE",
                        help="write the roles here, as JSON (.json) or HDF5 (.h5)")
    parser.add_argument("--references", type=Path, metavar="FILE",
                        help="write the sentences here, as evaluate --references reads them")
    parser.add_argument("--format", choices=("roles", "tacos"), default="roles",
                        help="tacos: a table of TACoS Multi-Level (untried); default: by the name")
    parser.add_argument("--columns", nargs="+", default=[], metavar="WHAT=NAME",
                        help="of the table: what its columns are called, such as id=clip")
    given = parser.add_argument_group("what is recognised").add_mutually_exclusive_group()
    given.add_argument("--features", type=Path, metavar="FILE.npy",
                       help="a row of features for each clip, in the order of the file of roles")
    given.add_argument("--net", help="deploy definition of a net that takes frames (T*N, 3, H, W) "
                                     "and markers (T, N): it computes the features")
    given.add_argument("--noise", type=float, metavar="SHARE",
                       help="simulate a recogniser that gets this share of the labels wrong")
    parser.add_argument("--weights", type=Path, help="of --net")
    parser.add_argument("--blob", help="of --net: where features come from (its output)")
    parser.add_argument("--save-features", type=Path, metavar="FILE.npy",
                        help="keep what --net computed, for --features")
    crf = parser.add_mutually_exclusive_group()
    crf.add_argument("--fit", type=Path, metavar="CRF.h5",
                     help="train a CRF on these clips and their labels, and write it here")
    crf.add_argument("--crf", type=Path, metavar="CRF.h5", help="label the clips with this CRF")
    parser.add_argument("--edges", default="tree",
                        help="for --fit: which slots have a table together: tree (those that tell "
                             "most about each other), chain, full (slow), none, or pairs: "
                             "activity-tool,activity-object (%(default)s)")
    parser.add_argument("--l2", type=float, default=1.0, metavar="PENALTY",
                        help="for --fit: on the squares of the scores (%(default)s)")
    parser.add_argument("--folds", type=int, default=5, metavar="N",
                        help="for --fit with --out: the clips of each part are labelled by a CRF "
                             "that was trained on the others (%(default)s)")
    parser.add_argument("--maximum", choices=("joint", "slot"), default="joint",
                        help="labels are the CRF's joint maximum, or the maximum of each slot's "
                             "marginals (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of --noise (%(default)s)")
    runtime.add_device_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Read, label, and write; return the exit code."""
    from ..files import check_output
    from ..tasks.description.references import write_references
    from ..tasks.description.roles import check_form, moved, write_roles
    _check(args)
    for path, what in ((args.out, "the roles"), (args.references, "the references"),
                       (args.fit, "the CRF"), (args.save_features, "the features")):
        if path is not None:
            check_output(path, DataError, what)
    if args.out is not None:
        check_form(args.out)
    roles, known = _read(args)
    print(_told(roles, known))
    found = _labelled(args, roles, known)
    if args.references is not None:
        count = write_references(args.references, roles)
        print(f"references of {count} clips in {args.references}")
    if args.out is not None:
        write_roles(args.out, moved(found, args.out))
        print(f"roles in {args.out}")
    return 0


def _check(args: argparse.Namespace) -> None:
    seen = args.features is not None or args.net is not None
    for wrong, message, remedy in (
            (bool(args.net) != bool(args.weights), "--net and --weights belong together", None),
            (args.blob and not args.net, "--blob is a blob of --net, which is missing", None),
            (args.save_features and not args.net, "--save-features needs --net", None),
            ((args.fit or args.crf) and not seen, "a CRF needs features of the clips",
             "Give --features, or --net with --weights."),
            (seen and not (args.fit or args.crf or args.save_features),
             "features are given, but nothing that uses them",
             "Train a CRF with --fit, use one with --crf, or keep them with --save-features."),
            (args.columns and args.format != "tacos", "--columns needs --format tacos", None)):
        if wrong:
            raise UsageError(message, remedy=remedy)


def _read(args: argparse.Namespace) -> tuple[Roles, bool]:
    """Return the clips, and whether their labels are known."""
    from ..tasks.description.roles import read_roles
    from ..tasks.description.tacos import read_tacos
    files = args.format == "tacos" or any(name.lower().endswith(_ROLES) for name in args.inputs)
    if files and len(args.inputs) > 1:
        raise UsageError("give one file of roles, or videos", got=f"{len(args.inputs)} inputs")
    if args.format == "tacos":
        pairs = [text.partition("=")[::2] for text in args.columns]
        return read_tacos(args.inputs[0], dict(pairs)), True
    if files:
        return read_roles(args.inputs[0]), True
    if args.crf is None:
        raise UsageError("videos have no roles yet", got=args.inputs[0],
                         remedy="Give --net, --weights and --crf, which recognise them, or a file "
                                "of roles, whose name ends in .json, .h5 or .hdf5")
    return _of_videos(args), False


def _of_videos(args: argparse.Namespace) -> Roles:
    """Return clips of which nothing is known but the videos."""
    import numpy as np

    from ..tasks.description.crf_files import read_crf
    from ..tasks.description.role_records import Roles, check_clips
    slots = read_crf(args.crf).slots
    count = len(args.inputs)
    names = [os.path.splitext(os.path.basename(os.path.normpath(name)))[0]
             for name in args.inputs]
    if len({*names}) < count:
        names = args.inputs
    roles = Roles(os.getcwd() + os.sep, slots, names, [*args.inputs],
                  np.zeros((count, len(slots)), np.int64), None, [[] for _ in range(count)])
    check_clips(roles.ids, roles.sentences, "the videos")
    return roles


def _labelled(args: argparse.Namespace, roles: Roles, known: bool) -> Roles:
    """Return the roles as they are recognised; as they are if nothing recognises them."""
    from ..tasks.description.crf_files import read_crf, write_crf
    from ..tasks.description.crf_graph import choose_edges
    from ..tasks.description.labelling import Recipe, compare, label, label_in_turn
    from ..tasks.description.noisy_posteriors import add_noise, calibrate
    from ..tasks.description.role_records import check_same_slots
    joint, found = args.maximum == "joint", roles
    if args.noise is not None:
        found = add_noise(roles, calibrate(roles, args.noise, seed=args.seed), args.seed)
    if args.crf is not None:
        crf = read_crf(args.crf)
        check_same_slots(roles, crf.slots, str(args.crf))
        found = label(roles, _features(args, roles), crf, joint)
    elif args.fit is not None:
        recipe, features = Recipe(choose_edges(args.edges, roles), args.l2), _features(args, roles)
        crf = recipe.fit(roles, features)
        write_crf(args.fit, crf)
        print(f"CRF of {len(roles.ids)} clips with {len(crf.tables)} tables in {args.fit}; log "
              f"probability of their labels {crf.log_likelihood(features, roles.labels):.3f}")
        if args.out is not None:
            found = label_in_turn(roles, features, recipe, args.folds, joint)
    elif args.net is not None:
        _features(args, roles)
    if found is not roles and known:
        print(compare(found, roles))
    return found


def _features(args: argparse.Namespace, roles: Roles) -> np.ndarray:
    import numpy as np

    from ..files import new_file
    from ..paths import resolve
    from ..sources.array_file import read_array
    from ..tasks.description.clip_net import ClipNet
    from ..tasks.description.roles import video_paths
    if args.features is not None:
        features = read_array(args.features, "the features")
        if len(features) != len(roles.ids):
            raise DataError("there are not as many features as clips", where=args.features,
                            got=f"{len(features)} rows", wanted=f"{len(roles.ids)} clips")
        return features.astype(np.float64)
    net = ClipNet(resolve(args.net), args.weights, args.blob, runtime.open_backend(args))
    with runtime.quiet_arithmetic():
        features = net.features(video_paths(roles), runtime.report)
    if args.save_features is not None:
        with new_file(args.save_features, DataError, "the features", "wb") as file:
            np.save(file, features)
    return features.astype(np.float64)


def _told(roles: Roles, known: bool) -> str:
    slots = ", ".join(f"{slot.name} ({len(slot.labels)})" for slot in roles.slots)
    text = f"{len(roles.ids)} clips; slots with numbers of labels: {slots}"
    if not known:
        return text
    kinds = "labels" + (" and probabilities" if roles.probabilities is not None else "")
    return f"{text}; {kinds}; {sum(map(len, roles.sentences))} sentences"
