"""Databases made from pictures and well-known files, and what is computed over them."""
