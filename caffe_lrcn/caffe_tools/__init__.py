"""Caffe's tools: databases made from pictures and known files, what is computed over them, logs."""
