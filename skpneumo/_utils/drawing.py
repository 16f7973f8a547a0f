"""What the displays have in common."""


def get_axes(ax):
    """The axes given, or those of a new figure."""
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1] if ax is None else ax


def merge_kwargs(defaults, given, artist):
    """Keywords of an artist: the user's before the defaults, under whichever of their names."""
    from matplotlib.cbook import normalize_kwargs

    return defaults | normalize_kwargs(given or {}, artist)


def label_curve(curve, name):
    """Label of a curve in the legend, with the name of the model."""
    return curve if name is None else f"{name}: {curve}"
