"""The `caffe-lrcn` program: finds the command's module and runs it.

Only what a help text needs is imported here; a command imports the engine inside its ``run``.
"""
from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from types import ModuleType
from typing import NoReturn

from .. import __version__
from ..caffe_tools.program import CommandParser, Parser, long_flags, start_log
from ..hints import did_you_mean, nearest
from ..printable import PrintableStream, printable, printable_lines

# command -> (module of this package, one line of help). A module offers
# add_arguments(parser) and run(args) -> exit code.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "run the default job on generated pictures and write a page of results"),
    "demo-activity": ("demo_activity", "classify generated clips and write a page of results"),
    "demo-description": ("demo_description", "write sentences about generated clips, and a page"),
    "train": ("train", "train a net, or go on from a snapshot"),
    "test": ("test", "run a trained net and print its mean outputs"),
    "data": ("data", "make data sets: vocabularies and caption streams"),
    "caption": ("caption", "write captions for pictures"),
    "recognize": ("recognize", "say what happens in videos"),
    "describe": ("describe", "write sentences about clips, from roles, features or frames"),
    "features": ("features", "write what a convnet sees in pictures to a file"),
    "neighbours": ("neighbours", "caption pictures with captions of the nearest training pictures"),
    "translate": ("translate", "describe clips by statistical translation of their labels"),
    "time": ("time", "measure how long each layer takes, forward and backward"),
    "device_query": ("device_query", "print the properties of GPUs"),
    "summary": ("summary", "show the shapes and costs of a net's layers"),
    "check": ("check", "find every problem of a definition, without data or weights"),
    "evaluate": ("evaluate", "score captions against references"),
    "evaluate-activity": ("evaluate_activity", "score what models say about videos"),
    "rank": ("rank", "let people rank captions of several systems, and report the ranks"),
    "reproduce": ("reproduce", "repeat the paper's tables on generated data"),
    "draw": ("draw", "draw a net"),
    "plot": ("plot", "draw how trainings went, from their logs"),
    "streams": ("streams", "show the word streams of an HDF5 file"),
    "inspect": ("inspect", "show what is in a file of weights, a solver state or an image mean"),
    "completion": ("completion", "print a script with which a shell completes commands and flags"),
    "upgrade": ("upgrade", "rewrite an old net or solver definition in today's form"),
}
# Caffe's tool -> (module of caffe_tools, one line of help); its flags are spelled as gflags does.
TOOLS: dict[str, tuple[str, str]] = {
    "convert_imageset": ("convert_imageset", "make a database of pictures and labels from a list"),
    "convert_mnist_data": ("convert_mnist_data", "make a database of MNIST's digits"),
    "convert_mnist_siamese_data": ("convert_mnist_siamese_data",
                                   "make a database of pairs of MNIST's digits"),
    "convert_cifar_data": ("convert_cifar_data", "make databases of CIFAR-10"),
    "compute_image_mean": ("compute_image_mean", "compute the mean picture of a database"),
    "resize_and_crop_images": ("resize_and_crop_images", "make picture files square"),
    "extract_features": ("extract_features", "store what a net computes for its data in databases"),
    "classify": ("classify", "score pictures"),
    "detect": ("detect", "score windows of pictures"),
    "draw_net": ("draw_net", "draw a net; 'draw' does more"),
    "summarize": ("summarize", "print a definition as a table, one line per layer"),
    "parse_log": ("parse_log", "write the outputs in a training log as tables"),
    "extract_seconds": ("extract_seconds", "write the times of the iterations in a training log"),
    "plot_training_log": ("plot_training_log", "draw a chart of training logs"),
    "upgrade_net_proto_text": ("upgrade", "the same as 'upgrade net'"),
    "upgrade_net_proto_binary": ("upgrade", "the same as 'upgrade net'"),
    "upgrade_solver_proto_text": ("upgrade", "the same as 'upgrade solver'"),
}


# What runs a command, and the values of its flags.
Parsed = tuple[Callable[[argparse.Namespace], int], argparse.Namespace]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0, 1 for an error, 2 for wrong usage, 130 for ^C.

    Args:
        argv: the words after the program's name; None takes them from the process.
    """
    words = long_flags(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if words else 2
    if words[0] in ("--version", "version"):
        print(f"caffe-lrcn {__version__}")
        return 0
    if words[0] not in COMMANDS and words[0] not in TOOLS:
        print(f"error: {_no_command(words)}\n'caffe-lrcn --help' lists the commands.",
              file=sys.stderr)
        return 2
    return run_command(words[0], words[1:])


def _no_command(words: Sequence[str]) -> str:
    """Say what is wrong with words that do not begin with a command."""
    known = [*COMMANDS, *TOOLS]
    if words[0].startswith("-"):
        command = next((word for word in words if word in known), "COMMAND")
        return (f"the command comes first, before '{printable(words[0])}': "
                f"caffe-lrcn {command} {printable(words[0])} …")
    near = did_you_mean(nearest(words[0], known))
    return f"unknown command '{printable(words[0])}'. {near or ''}".rstrip(" .")


def script(name: str) -> NoReturn:
    """Run a command as a program of its own: what the files in ``tools/`` do."""
    sys.exit(main([name, *sys.argv[1:]]))


def run_command(command: str, words: Sequence[str]) -> int:
    """Parse the flags of ``command``, run it, and turn its errors into one line each."""
    from ..errors import CaffeError
    run, args = _tool(command, words) if command in TOOLS else _command(command, words)
    try:
        with redirect_stdout(PrintableStream(sys.stdout)):
            code = run(args)
        sys.stdout.flush()
        return code
    except CaffeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output (head, less) went away; what is still to be written is dropped.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError as error:
        print(f"error: there is not enough memory: {error or 'for this'}", file=sys.stderr)
        return 1
    except OSError as error:
        # A full disk, a closed output: nothing that a traceback would explain better.
        place = f"{error.filename}: " if error.filename else ""
        print(printable_lines(f"error: {place}{error.strerror or error}"), file=sys.stderr)
        return 1


def command_parser(command: str) -> tuple[ModuleType, argparse.ArgumentParser]:
    """Return the module of a command, and what reads its flags."""
    module_name, summary = COMMANDS[command]
    module = importlib.import_module(f".{module_name}", __package__)
    parser = CommandParser(
        prog=f"caffe-lrcn {command}", description=summary[0].upper() + summary[1:] + ".",
        allow_abbrev=False, epilog="Flags may be written -name value, -name=value, --name value.")
    module.add_arguments(parser)
    return module, parser


def _command(command: str, words: Sequence[str]) -> Parsed:
    module, parser = command_parser(command)
    return module.run, parser.parse_args(words)


def tool_parser(command: str) -> tuple[ModuleType, Parser]:
    """Return the module of one of Caffe's tools, and what reads its flags."""
    module = importlib.import_module(f"..caffe_tools.{TOOLS[command][0]}", __package__)
    parser = Parser(f"caffe-lrcn {command}", module.__doc__)
    parser.set_defaults(command=command)
    module.add_arguments(parser)
    return module, parser


def _tool(command: str, words: Sequence[str]) -> Parsed:
    module, parser = tool_parser(command)

    def run(args: argparse.Namespace) -> int:
        start_log(args)
        return module.run(args)

    return run, parser.parse(words)


def usage() -> str:
    """Return the list of commands."""
    width = max(map(len, [*COMMANDS, *TOOLS]))
    commands, tools = ([f"  {name:<{width}}  {summary}" for name, (_, summary) in table.items()]
                       for table in (COMMANDS, TOOLS))
    return "\n".join(["usage: caffe-lrcn COMMAND [flags]", "", "commands:", *commands, "",
                      "Caffe's tools, with its flags:", *tools, "",
                      "caffe-lrcn COMMAND --help lists the flags of a command."])


if __name__ == "__main__":
    sys.exit(main())
