"""The ops on NumPy arrays; ``dnnl`` has those that oneDNN computes."""
