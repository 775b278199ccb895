"""What a run writes and reads: LoRA files, its state, its folder."""
