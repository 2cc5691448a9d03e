"""Where data come from: sources with cursors, read ahead by threads or worker processes."""
