#!/usr/bin/env python3
"""Store pictures and labels in a database: convert_imageset.py [flags] ROOTFOLDER/ LISTFILE DB."""
import sys

from caffe_lrcn.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["convert_imageset", *sys.argv[1:]]))
