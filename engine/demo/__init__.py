"""The embedded demo models and people."""
