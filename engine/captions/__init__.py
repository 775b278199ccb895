"""Captions: what a training picture is said to show, and what is left to the trigger."""
