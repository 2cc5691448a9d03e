"""Training: the loop (``solver.py``), and a file for each thing that it does on the way."""
