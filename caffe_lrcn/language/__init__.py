"""Words: from texts to numbers and HDF5 streams, and from trained nets back to sentences.

In the order the data flows: ``caption_files`` reads captions, ``caption_tokens`` and ``vocabulary``
turn text into word ids, ``streams`` lays the ids out in time, ``stream_checks`` and
``stream_views`` look at such streams, ``step_net`` runs a trained net word by word, ``decoder``
searches sentences with it (``beam``, ``sampling``, both choosing words by ``word_choice``),
``result_files`` writes and reads them. ``bigrams`` is what a language model has to beat,
``ptb_tokens`` splits sentences as scores want them. Nothing but ``step_net`` and what stands on it
needs a net, so that scores load without one.
"""
