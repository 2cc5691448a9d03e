"""A generated data set of clips whose class lies in the motion, laid out as UCF101 is.

In the order the data flows: ``motions`` decides how things move, ``drawing`` makes the frames,
``dataset`` writes videos and lists. A mirrored clip may belong to another class: nets that train on
these clips must not mirror them.
"""
