"""An evaluation of a classifier that errs."""

import pytest

from skpneumo.evaluation import evaluate


@pytest.fixture(scope="session")
def report(linear, new):
    """An evaluation that tests must not change."""
    return evaluate(
        linear,
        new.X,
        new.y,
        groups=new.groups,
        subtype=new.subtype,
    )
