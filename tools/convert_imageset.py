#!/usr/bin/env python3
"""Store pictures and labels in a database: convert_imageset.py [flags] ROOTFOLDER/ LISTFILE DB."""
from caffe_lrcn.cli.main import script

if __name__ == "__main__":
    script("convert_imageset")
