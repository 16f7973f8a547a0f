"""How much of the main job is done."""


class JobProgress:
    """Reports the fraction of a job that is done: a search, a baseline, and an evaluation.

    Parameters
    ----------
    callback : callable or None
        Called as ``callback(done, doing)``: the fraction, from 0 to 1, and what is done next.
    n_fits, n_baseline_fits : int
        Fits of the search, the final one among them, and of the baseline.
    n_searches : int, default=1
        Searches that these fits are divided among, as inside the folds of an operating point.
    epochs_of_fit : int
        Epochs of each fit of the search.
    epochs_of_baseline_fit : float
        How many epochs of the search each fit of the baseline takes as long as.
    """

    def __init__(
        self,
        callback,
        *,
        n_fits,
        n_baseline_fits,
        epochs_of_fit,
        epochs_of_baseline_fit,
        n_searches=1,
    ):
        n_epochs = n_fits * epochs_of_fit
        # The evaluation is one forward pass: less than an epoch.
        total = n_epochs + n_baseline_fits * epochs_of_baseline_fit + 1
        self._callback = callback
        self._search = n_epochs / total
        self._baseline_fit = epochs_of_baseline_fit / total
        self._n_searches = n_searches
        self._before_final_fit = (n_fits - 1) / n_fits
        self._done = 0.0

    def show(self, doing):
        """Report what is done now."""
        if self._callback is not None:
            self._callback(self._done, doing)

    def epoch(self, n_done, n_epochs):
        """Take note of epochs of the search, with parts of one."""
        fraction = min(n_done / n_epochs, 1)
        self._done = self._search * fraction
        if self._n_searches > 1:
            number = min(int(fraction * self._n_searches) + 1, self._n_searches)
            self.show(f"Search {number} of {self._n_searches}")
        else:
            self.show("Cross-validation" if fraction < self._before_final_fit else "Final fit")

    def start_baseline(self):
        """Take note of the end of the search, also of fits that were reused."""
        self._done = self._search
        self.show("Baseline")

    def baseline_fit(self):
        """Take note of a fit of the baseline."""
        self._done += self._baseline_fit
        self.show("Baseline")

    def finish(self):
        """Take note of the end."""
        self._done = 1.0
        self.show("Done")
