import matplotlib
import pytest


@pytest.fixture(autouse=True)
def _no_window():
    """Draw without a screen, and close all figures."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield
    pyplot.close("all")
