"""The shots of a dataset: planned, sampled, measured against their gates."""
