"""How much of a training job is done."""


class JobProgress:
    """Reports the fraction of a job that is done: a search, a baseline, and an evaluation.

    Parameters
    ----------
    callback : callable or None
        Called as ``callback(fraction, doing)``: what is done, from 0 to 1, and what is done next.
    n_fits : int
        Fits of the search, the final ones among them.
    n_searches : int, default=1
        Searches that these fits are divided among, as inside the folds of an operating point.
    epochs_per_fit : int
        Epochs of each fit of the search.
    n_baseline_fits : int
        Fits of the baseline.
    epochs_per_baseline_fit : float
        How many epochs of the search each fit of the baseline takes as long as.
    """

    def __init__(
        self,
        callback,
        *,
        n_fits,
        epochs_per_fit,
        n_baseline_fits,
        epochs_per_baseline_fit,
        n_searches=1,
    ):
        self._callback = callback
        self._n_epochs = n_fits * epochs_per_fit
        self._epochs_per_baseline_fit = epochs_per_baseline_fit
        # The evaluation is one forward pass: less than an epoch.
        self._total = self._n_epochs + n_baseline_fits * epochs_per_baseline_fit + 1
        self._n_searches = n_searches
        self._before_final_fit = (n_fits - 1) / n_fits
        self._done = 0.0

    def show(self, doing):
        """Report what is done next."""
        if self._callback is not None:
            self._callback(self._done / self._total, doing)

    def add_epochs(self, n):
        """Add epochs of the search, or fractions of one."""
        # Fractions of an epoch do not add up exactly.
        self._done = min(round(self._done + n, 6), self._n_epochs)
        fraction = self._done / self._n_epochs
        if self._n_searches > 1:
            number = min(int(fraction * self._n_searches) + 1, self._n_searches)
            self.show(f"Search {number} of {self._n_searches}")
        else:
            self.show("Cross-validation" if fraction < self._before_final_fit else "Final fit")

    def start_baseline(self):
        """Report the end of the search, also of fits that were reused."""
        self._done = self._n_epochs
        self.show("Baseline")

    def add_baseline_fit(self):
        """Add a fit of the baseline."""
        self._done += self._epochs_per_baseline_fit
        self.show("Baseline")

    def finish(self):
        """Report the end."""
        self._done = self._total
        self.show("Done")
