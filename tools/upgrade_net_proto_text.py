#!/usr/bin/env python3
"""Rewrite an old definition in today's form: upgrade_net_proto_text.py IN OUT."""
import sys

from caffe_lrcn.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["upgrade_net_proto_text", *sys.argv[1:]]))
