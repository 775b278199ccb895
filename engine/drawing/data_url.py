"""Pictures that stand in a message or a page themselves."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image


def jpeg_url(picture: np.ndarray | Image.Image, quality: int = 90) -> str:
    """``picture`` ((h, w, 3) uint8, or of PIL) as the data URL of a JPEG.

    From a quality of 90 on each pixel keeps its own colour.
    """
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling=0 if quality >= 90 else 2)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
