"""Upscaling, detail, faces and colours of shots that are there."""
