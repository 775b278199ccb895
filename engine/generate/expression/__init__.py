"""The face: which landmarks make it, how sliders move them, and the picture warped after them."""
