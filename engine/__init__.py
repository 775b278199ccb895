"""What Facet does, as plain modules over torch and ComfyUI; knows no node."""
