"""Training a character LoRA in a ComfyUI model."""
