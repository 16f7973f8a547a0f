"""The fraction of a training job that is done."""

import pytest

from skpneumo.cli._training._progress import JobProgress


def test_progress_covers_all_of_the_work_in_proportion():
    reports = []
    progress = JobProgress(
        lambda *report: reports.append(report),
        n_fits=4,
        epochs_per_fit=5,
        n_baseline_fits=3,
        epochs_per_baseline_fit=2,
    )
    for _ in range(20):
        progress.add_epochs(1)
    progress.start_baseline()
    for _ in range(3):
        progress.add_baseline_fit()
    progress.show("Test")
    progress.finish()
    fractions, doing = zip(*reports, strict=True)
    assert list(fractions) == sorted(fractions)
    assert fractions[19] == pytest.approx(20 / 27)  # of 20 epochs, 6 for the baseline, 1 to test
    assert fractions[-3] == fractions[-2] == pytest.approx(26 / 27)
    assert fractions[-1] == 1
    assert doing[13:15] == ("Cross-validation", "Final fit")
    assert doing[-3:] == ("Baseline", "Test", "Done")


def test_fractions_of_epochs_add_up_to_the_end_of_the_search():
    reports = []
    progress = JobProgress(
        lambda *report: reports.append(report),
        n_fits=3,
        epochs_per_fit=1,
        n_baseline_fits=1,
        epochs_per_baseline_fit=1,
    )
    for _ in range(30):
        progress.add_epochs(0.1)
    assert reports[-1] == (pytest.approx(3 / 5), "Final fit")
    progress.start_baseline()
    assert reports[-1] == (3 / 5, "Baseline")


def test_progress_without_a_callback():
    progress = JobProgress(
        None, n_fits=2, epochs_per_fit=1, n_baseline_fits=1, epochs_per_baseline_fit=0.1
    )
    progress.add_epochs(1)
    progress.finish()
