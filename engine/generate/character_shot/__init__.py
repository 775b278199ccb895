"""Everyday use of a finished LoRA: asked in the right words, measured, tried again, kept."""
