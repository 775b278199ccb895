"""Files that are written whole or not at all, images and tensors in them."""
