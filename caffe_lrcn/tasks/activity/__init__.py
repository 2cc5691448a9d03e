"""Activity recognition (section 4 of the LRCN paper): video to frames, flow and classes."""
