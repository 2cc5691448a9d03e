#!/usr/bin/env python3
"""Rewrite an old definition in today's form: upgrade_net_proto_binary.py IN OUT."""
from caffe_lrcn.cli.main import script

if __name__ == "__main__":
    script("upgrade_net_proto_binary")
