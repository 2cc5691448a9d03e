"""A generated captioning data set: pictures of one or two things, and what is said about them.

In the order the data flows: ``scene`` decides what a picture shows, ``drawing`` makes it,
``grammar`` describes it in words, ``attributes`` in numbers (to pre-train a picture net),
``dataset`` writes all that to disk; ``judge`` tells whether a caption is right.
"""
