"""Whether a LoRA makes the character: measured against the one original, and calibrated."""
