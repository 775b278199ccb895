"""The demo world: cartoon people drawn from parameters, and the training of the demo models."""
