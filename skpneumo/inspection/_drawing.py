"""What the displays have in common."""

# Of Okabe and Ito: people who are colour-blind can tell them apart.
BLUE, VERMILION = "#0072B2", "#D55E00"


def axes_of(ax):
    """The axes given, or those of a new figure."""
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1] if ax is None else ax


def merged(defaults, given, artist):
    """Keywords of an artist: the user's before the defaults, under whichever of their names."""
    from matplotlib.cbook import normalize_kwargs

    return defaults | normalize_kwargs(given or {}, artist)


def labelled(what, name):
    """Label of a line in the legend."""
    return what if name is None else f"{name}: {what}"
