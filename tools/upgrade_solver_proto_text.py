#!/usr/bin/env python3
"""Rewrite an old definition in today's form: upgrade_solver_proto_text.py IN OUT."""
from caffe_lrcn.cli.main import script

if __name__ == "__main__":
    script("upgrade_solver_proto_text")
