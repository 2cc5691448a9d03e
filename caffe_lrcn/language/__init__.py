"""Words: from texts to numbers and HDF5 streams, and from trained nets back to sentences.

In the order the data flows: ``caption_files`` reads captions, ``tokenize`` and ``vocabulary`` turn
text into word ids, ``streams`` lays the ids out in time, ``stream_checks`` and ``stream_views``
look at such streams, ``step_net`` runs a trained net word by word, ``decoder`` searches sentences
with it, ``result_files`` writes them, ``ngram`` is what a language model has to beat.
"""
