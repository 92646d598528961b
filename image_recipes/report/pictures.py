"""Pictures that the page holds."""

import base64
import io

import numpy as np
from PIL import Image

# of more pixels a side, a picture is held as JPEG
MOST_EXACT = 64
# in pixels
MAX_SHOWN_SIDE = 256


def encode_picture(picture: np.ndarray, side: int = MAX_SHOWN_SIDE) -> str:
    """Return a picture as an address that holds it, made smaller where it has more pixels a side.

    Args:
        picture: uint8, (H, W, C), C = 1 or 3.
        side: in pixels.
    """
    image = Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture)
    kind = "PNG" if max(image.size) <= MOST_EXACT else "JPEG"
    image.thumbnail((side, side))
    stream = io.BytesIO()
    image.save(stream, kind, quality=80)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"
