"""Pictures that the page holds."""

import base64
import io

import numpy as np
from PIL import Image

# in pixels; larger pictures are made smaller, as JPEG
MAX_SHOWN_SIDE = 128


def encode_picture(picture: np.ndarray) -> str:
    """Return a picture, (H, W, C) uint8, as an address that holds it."""
    image = Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture)
    kind = "PNG" if max(image.size) <= MAX_SHOWN_SIDE // 2 else "JPEG"
    image.thumbnail((MAX_SHOWN_SIDE, MAX_SHOWN_SIDE))
    stream = io.BytesIO()
    image.save(stream, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"
