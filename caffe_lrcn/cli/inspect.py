"""``caffe-lrcn inspect``: what is in a file of weights, a solver state or an image mean."""
from __future__ import annotations

import argparse

from ..errors import UsageError
from ..files import new_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("file", metavar="FILE", help="a .caffemodel or .solverstate (binary or "
                        ".h5), a .binaryproto mean, a database, HDF5 data or a list of pictures, "
                        "told apart by their content")
    parser.add_argument("--prototxt", metavar="OUT", help="write the net definition that the "
                        "weights contain to OUT (- prints it instead of the table)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Read the file and print what is in it; return the exit code."""
    from ..inspection.contents import as_json, as_text, contained_prototxt, read_contents
    contents = read_contents(args.file)
    if args.prototxt:
        text = contained_prototxt(contents, args.file)
        if args.prototxt == "-":
            print(text, end="")
            return 0
        with new_file(args.prototxt, UsageError, "the definition") as stream:
            stream.write(text)
    print(as_json(contents) if args.json else as_text(args.file, contents))
    return 0
