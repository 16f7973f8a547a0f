"""X-rays and heatmaps as PNG files for the page."""

import io

import numpy as np
from PIL import Image, PngImagePlugin

from skpneumo._utils.heatmap_marks import HEATMAP_METADATA
from skpneumo.images import read_xray
from skpneumo.inspection import GradCAM

# Beyond it reading does not gain, and phones run out of memory.
MAX_SIDE = 2048
_MAX_HEATMAP_SIDE = 512


def draw_xray(source):
    """Draw an X-ray at reading size.

    Parameters
    ----------
    source : str or bytes
        The file, or its content.

    Returns
    -------
    bytes
        PNG, grey, of at most 2048 pixels on a side.

    Raises
    ------
    ImageReadError
        If it cannot be read.
    """
    image = Image.fromarray(read_xray(source))
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def has_heatmaps(model):
    """Whether there is a network in a model, whose evidence can be drawn."""
    try:
        GradCAM(model)
    except TypeError:
        return False
    return True


def draw_heatmap(model, path):
    """Draw the evidence for pneumonia in one file.

    Parameters
    ----------
    model : classifier
        Fitted, with a network in it.
    path : str
        The file.

    Returns
    -------
    bytes
        PNG, in colours that are more opaque where there is more evidence, of the aspect ratio of
        the X-ray.

    Raises
    ------
    ImageReadError
        If it cannot be read.
    """
    import matplotlib

    heat = GradCAM(model).transform([path])[0]
    small = Image.fromarray(np.uint8(np.rint(255 * heat)))
    small.thumbnail((_MAX_HEATMAP_SIDE, _MAX_HEATMAP_SIDE), Image.Resampling.BILINEAR)
    heat = np.asarray(small) / 255
    colours = matplotlib.colormaps["inferno"](heat)
    colours[..., 3] = heat
    mark = PngImagePlugin.PngInfo()
    for key, text in HEATMAP_METADATA.items():
        mark.add_text(key, text)
    file = io.BytesIO()
    Image.fromarray(np.uint8(np.rint(255 * colours))).save(file, "PNG", pnginfo=mark)
    return file.getvalue()
