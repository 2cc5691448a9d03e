"""Nets: passes from a definition to a graph, each a pure function in a file of its own.

In the order the data flows: ``filter`` (phase, level, stages) → ``splits`` (one consumer a blob)
→ ``connect`` (names to blobs) → ``storage`` (who shares memory) → ``params`` (who shares
parameters) → ``backward_plan`` (who needs a gradient) → ``net`` (runs it).
"""
