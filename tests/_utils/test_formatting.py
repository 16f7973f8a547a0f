import pytest

from skpneumo._utils.formatting import percent


@pytest.mark.parametrize(
    ("share", "told", "whole"),
    [
        (1, "100.0%", "100%"),
        (0.9999999, "99.9%", "99%"),
        (0.9796, "97.9%", "97%"),
        (0.98 - 1e-12, "98.0%", "98%"),
        (0.29, "29.0%", "29%"),
        (0.07, "7.0%", "7%"),
        (0.004, "0.4%", "<1%"),
        (0.0004, "<0.1%", "<1%"),
        (0, "0.0%", "0%"),
    ],
)
def test_a_share_is_rounded_down_and_never_reads_as_all_or_nothing(share, told, whole):
    assert percent(share) == told
    assert percent(share, digits=0) == whole


@pytest.mark.parametrize(
    ("share", "told"),
    [(13 / 165, "7.9%"), (0.07, "7.0%"), (0.98 + 1e-12, "98.0%"), (0.0001, "0.1%"), (0, "0.0%")],
)
def test_a_share_of_errors_is_rounded_up(share, told):
    assert percent(share, up=True) == told
