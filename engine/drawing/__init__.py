"""Images with text: canvas, curves."""
