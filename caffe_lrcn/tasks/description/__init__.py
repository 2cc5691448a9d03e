"""Video description (section 6 of the LRCN paper): what was recognised in a clip to a sentence."""
