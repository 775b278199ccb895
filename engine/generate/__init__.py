"""Making images of a character: measured, tried again with a cause, the best kept."""
