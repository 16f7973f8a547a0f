"""Images within a page."""

import base64
import io

_QUALITY = 72


def as_data_uri(image):
    """Encode an image as JPEG in a data URI.

    Parameters
    ----------
    image : PIL.Image.Image
        Grey or RGB.

    Returns
    -------
    str
    """
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
