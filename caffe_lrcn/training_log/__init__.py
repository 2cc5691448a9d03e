"""What can be read out of the log of a training run: tables, times and charts."""
