"""The command behind facet.py: set-up, ComfyUI's process and the demo. Standard library only."""
