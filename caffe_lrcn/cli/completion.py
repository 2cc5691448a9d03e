"""``caffe-lrcn completion``: a script for a shell, made of the commands' own flags."""
from __future__ import annotations

import argparse

from ..errors import UsageError

PROGRAM = "caffe-lrcn"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))


def run(args: argparse.Namespace) -> int:
    """Print the script; return the exit code."""
    try:
        import shtab
    except ImportError:
        raise UsageError("completion needs shtab, which is not installed",
                         remedy="Install it with: pip install shtab") from None
    print(shtab.complete(whole_parser(shtab.FILE), args.shell))
    return 0


def whole_parser(files: object = None) -> argparse.ArgumentParser:
    """Return one parser with all commands.

    Args:
        files: what shtab calls a value that is a file; flags without choices take one.
    """
    from .main import COMMANDS, TOOLS, command_parser, tool_parser
    parser = argparse.ArgumentParser(prog=PROGRAM)
    commands = parser.add_subparsers()
    for table, parser_of in ((COMMANDS, command_parser), (TOOLS, tool_parser)):
        for name, (_, line) in table.items():
            command = commands.add_parser(name, help=line, parents=[parser_of(name)[1]],
                                          add_help=False)
            _complete_files(command, files)
    return parser


def _complete_files(parser: argparse.ArgumentParser, files: object) -> None:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _complete_files(inner, files)
        elif action.nargs != 0 and not action.choices:
            action.complete = files  # type: ignore[attr-defined]
