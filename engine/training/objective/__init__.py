"""One step: what is drawn, what is asked of the model, and what the optimizer does."""
