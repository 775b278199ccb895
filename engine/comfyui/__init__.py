"""ComfyUI's own parts as the engine uses them: sampling, LoRA files, fingerprints."""
