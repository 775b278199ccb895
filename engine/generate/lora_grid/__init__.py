"""LoRAs and strengths on the same prompts and seeds."""
