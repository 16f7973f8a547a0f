import matplotlib
import pytest


@pytest.fixture(autouse=True)
def _no_window():
    """Draw without a screen, and leave no figure behind."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield
    pyplot.close("all")
