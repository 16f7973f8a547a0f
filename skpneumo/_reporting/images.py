"""Images within a page."""

import base64
import io

# Half the size of a JPEG that looks as good.
_FORMAT, _QUALITY = "webp", 72


def as_data_uri(image):
    """Encode an image as WebP in a data URI.

    Parameters
    ----------
    image : PIL.Image.Image
        Grey or RGB.

    Returns
    -------
    str
    """
    file = io.BytesIO()
    image.save(file, _FORMAT, quality=_QUALITY)
    return f"data:image/{_FORMAT};base64," + base64.b64encode(file.getvalue()).decode()
