"""Figures as SVG that takes the colours of the page around it."""

import io
import re
from xml.etree import ElementTree

from skpneumo._utils.palette import BLUE, GREY, VERMILION

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
# Colours that occur nowhere else in a figure, each of which stands for a variable of the page.
INK, MUTED, FAINT, LINE, ERROR, PAPER = (f"#0102{number:02x}" for number in range(6))
_VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    FAINT: "faint",
    LINE: "line",
    ERROR: "error",
    PAPER: "paper",
    BLUE: "accent",
    VERMILION: "second",
    GREY: "muted",
}
_STYLE = {
    "font.size": 9,
    "font.sans-serif": ["DejaVu Sans"],
    "axes.edgecolor": LINE,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": MUTED,
    "axes.prop_cycle": f"cycler('color', ['{BLUE}', '{VERMILION}'])",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "figure.subplot.bottom": 0.14,
    "figure.subplot.left": 0.14,
    "figure.subplot.right": 0.96,
    "figure.subplot.top": 0.98,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "legend.edgecolor": "none",
    "legend.facecolor": PAPER,
    "legend.framealpha": 0.85,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "text.color": INK,
    "xtick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.color": LINE,
    "ytick.labelcolor": MUTED,
}


def draw_svg(draw, *args, name, description, size=(4.2, 3.3)):
    """Draw a figure as a part of a page.

    Parameters
    ----------
    draw : callable
        Called with a matplotlib Figure and ``args``. It draws in the colours of this module and
        of `skpneumo._utils.palette`.
    *args : object
        Passed to ``draw``.
    name : str
        Prefix of the ids in the SVG, unique within the page.
    description : str
        What the figure shows, for screen readers.
    size : tuple of (float, float), default=(4.2, 3.3)
        Width and height, which give the aspect ratio and the relative size of the text.

    Returns
    -------
    str
    """
    import matplotlib.style
    from matplotlib.figure import Figure

    with matplotlib.style.context(["default", _STYLE]):
        figure = Figure(figsize=size)
        draw(figure, *args)
        file = io.BytesIO()
        figure.savefig(file, format="svg")
    return _inline(file.getvalue(), name, description)


def _inline(svg, name, description):
    """The SVG with ids of its own, and the colours and the font of the page."""
    root = ElementTree.fromstring(svg)
    for tag in ("metadata", "defs"):
        # The first defs of matplotlib hold a style that would apply to the whole page.
        root.remove(root.find(f"{{{_SVG}}}{tag}"))
    for size in ("width", "height"):
        del root.attrib[size]
    root.attrib |= {"role": "img", "aria-label": description}
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    text = ElementTree.tostring(root, encoding="unicode")
    text = re.sub(r'id="', f'id="{name}-', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{name}-", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour.lower(), f"var(--{variable})")
    return text
