"""What is measured, kept and shown of a training while it runs."""
