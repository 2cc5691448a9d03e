"""Image captioning: pictures and their captions, streams of both, and captions of new pictures.

``prepare`` turns caption files and pictures into streams for one command, ``pictures`` captions
pictures with a trained net, ``neighbours`` without one; ``output`` and ``gallery`` show captions.
Words, streams and decoding are ``caffe_lrcn.language``.
"""
