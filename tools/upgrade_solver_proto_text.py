#!/usr/bin/env python3
"""Upgrade a solver definition in text format to today's form: upgrade_solver_proto_text.py IN OUT.

Exit codes: 0 done, or nothing to do; 1 wrong usage, or no new form exists; 2 unreadable.
"""
import sys

from caffe_lrcn.cli.upgrade import script

if __name__ == "__main__":
    sys.exit(script("solver_proto_text", sys.argv[1:]))
