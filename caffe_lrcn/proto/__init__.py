"""Caffe's files: the schema, text definitions, weights, solver states."""
