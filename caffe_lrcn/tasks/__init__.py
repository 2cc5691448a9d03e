"""The tasks built on the engine: captioning, and toy data made by program."""
