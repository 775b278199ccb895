"""What is trained on: pictures, captions, masks, sizes and their caches."""
