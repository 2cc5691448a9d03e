"""Readers of records, one per kind of file."""
