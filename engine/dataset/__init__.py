"""Datasets on disk: written for the trainers that people use, and read back as characters."""
