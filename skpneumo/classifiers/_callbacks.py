"""What happens beside the steps of a training: early stopping, and progress."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress

_LISTENER = contextvars.ContextVar("epoch_listener", default=None)


@contextmanager
def progress_callback(callback: Callable[[float], object]) -> Iterator[None]:
    """Report the progress of every fit inside this context, in this thread.

    Parameters
    ----------
    callback : callable
        Called as ``callback(fraction)`` with the fraction of an epoch that was done since the last
        call. Epochs that early stopping saves are reported as done.
    """
    token = _LISTENER.set(callback)
    try:
        yield
    finally:
        _LISTENER.reset(token)


class Callback:
    """A context around a training, which is called at its events."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def on_train_begin(self, state):
        """Prepare, given the `TrainingState` before the first epoch."""

    def on_batch_end(self, fraction):
        """Take note of a batch, a fraction of the epoch."""

    def on_epoch_end(self, state):
        """Take note of an epoch, or change the state."""

    def on_train_end(self, state):
        """Take note of the end, if there was no error."""


class EarlyStopping(Callback):
    """Stop when the loss on the validation data has not fallen for some epochs.

    The network ends with the weights of the best epoch.

    Parameters
    ----------
    compute_loss : callable
        Called as ``compute_loss(model)``.
    patience : int
        Number of epochs.
    """

    def __init__(self, compute_loss, patience):
        self.compute_loss, self.patience = compute_loss, patience

    def on_train_begin(self, state):
        state.history.setdefault("val_loss", [])
        # The last epoch of a checkpoint may have used up the patience.
        self._decide(state)

    def on_epoch_end(self, state):
        loss = self.compute_loss(state.model)
        state.history["val_loss"].append(loss)
        state.epochs_without_improvement += 1
        if loss < state.best_loss:
            state.best_loss, state.best_weights = loss, state.model.get_weights()
            state.epochs_without_improvement = 0
        self._decide(state)

    def on_train_end(self, state):
        if state.best_weights is not None:
            state.model.set_weights(state.best_weights)

    def _decide(self, state):
        state.is_finished = state.epochs_without_improvement >= self.patience


class ProgressReporter(Callback):
    """Report progress to `progress_callback`, and to the terminal.

    Parameters
    ----------
    n_epochs : int
        Maximum number of epochs.
    verbose : int
        1 draws a bar with the time left, 2 prints a line per epoch.
    """

    def __init__(self, n_epochs, verbose):
        self.n_epochs, self.verbose = n_epochs, verbose
        self._listener = _LISTENER.get()
        self._bar = Progress(disable=verbose != 1)
        self._task = self._bar.add_task("Training", total=n_epochs)

    def __enter__(self):
        self._bar.__enter__()
        return self

    def __exit__(self, *error):
        self._bar.__exit__(*error)

    def on_train_begin(self, state):
        # A resumed training reports the epochs of its checkpoint at once.
        self._advance(state.n_done)

    def on_batch_end(self, fraction):
        self._advance(fraction)

    def on_epoch_end(self, state):
        losses = ", ".join(f"{name} {values[-1]:.4f}" for name, values in state.history.items())
        last = state.first_epoch + self.n_epochs
        text = f"Epoch {state.first_epoch + state.n_done}/{last}: {losses}"
        self._bar.update(self._task, description=text)
        if self.verbose > 1:
            print(text)

    def on_train_end(self, state):
        # After early stopping too the fractions that listeners add up reach the number of epochs.
        if state.n_done < self.n_epochs:
            self._advance(self.n_epochs - state.n_done)

    def _advance(self, fraction):
        self._bar.update(self._task, advance=fraction)
        if self._listener is not None:
            self._listener(fraction)
