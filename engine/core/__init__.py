"""What flows through every area: the character, its shots, and their vocabulary."""
