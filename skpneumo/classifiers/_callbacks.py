"""What happens beside the steps of a training: early stopping, and progress."""

from __future__ import annotations

import contextvars
import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import keras

from skpneumo._utils.progress import Display, get_display, ignore

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

    def on_epoch_begin(self, state):
        """Prepare for an epoch."""

    def on_batch_begin(self):
        """Prepare for a batch."""

    def on_batch_end(self, fraction, loss):
        """Take note of a batch, a fraction of the epoch, and of the mean loss since it began."""

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


class KerasCallbacks(Callback):
    """Call Keras's callbacks when `keras.Model.fit` would, in a training of several stages.

    Parameters
    ----------
    callbacks : list of keras.callbacks.Callback
        They are called in this order.
    stages : list of Stage
        They are one training for the callbacks.
    n_steps : int
        Steps of an epoch.
    """

    def __init__(self, callbacks, stages, n_steps):
        self.callbacks, self.n_stages = callbacks, len(stages)
        n_epochs = sum(stage.epochs for stage in stages)
        self.params = {"epochs": n_epochs, "steps": n_steps, "verbose": 0}
        self._stage, self._batch, self._is_stopped = 0, 0, False

    def __exit__(self, *error):
        for callback in self.callbacks:
            # The network that is trained may train another estimator next.
            keras.callbacks.Callback.set_model(callback, None)

    def on_train_begin(self, state):
        self._stage += 1
        if self._is_stopped:
            state.is_finished = True
            return
        state.model.stop_training = False
        for callback in self.callbacks:
            if self._stage == 1:
                callback.set_params(self.params)
                callback.set_model(state.model)
            else:
                # Past what classes of callbacks add, such as new files for logs.
                keras.callbacks.Callback.set_model(callback, state.model)
        if self._stage == 1:
            self._call("on_train_begin")

    def on_epoch_begin(self, state):
        self._batch = 0
        self._call("on_epoch_begin", state.first_epoch + state.n_done)

    def on_batch_begin(self):
        self._call("on_train_batch_begin", self._batch)

    def on_batch_end(self, fraction, loss):
        self._call("on_train_batch_end", self._batch, {"loss": loss})
        self._batch += 1

    def on_epoch_end(self, state):
        logs = {name: values[-1] for name, values in state.history.items()}
        self._call("on_epoch_end", state.first_epoch + state.n_done - 1, logs)
        if state.model.stop_training:
            state.is_finished = self._is_stopped = True

    def on_train_end(self, state):
        # The stages after one that a callback ended have no epochs.
        if state.n_done and (self._is_stopped or self._stage == self.n_stages):
            self._call("on_train_end")

    def _call(self, name, *args):
        for callback in self.callbacks:
            getattr(callback, name)(*args)


def copy_callbacks(callbacks):
    """Copy Keras's callbacks for a fit, so that the parameter stays as it is.

    Parameters
    ----------
    callbacks : sequence of keras.callbacks.Callback or None
        Copied one by one, not what they refer to: a list that a callback appends to is the user's.

    Returns
    -------
    list of keras.callbacks.Callback

    Raises
    ------
    TypeError
        If one of them is something else.
    """
    for callback in callbacks or ():
        if not isinstance(callback, keras.callbacks.Callback):
            raise TypeError(
                "callbacks must be a list of instances of keras.callbacks.Callback, such as "
                f"keras.callbacks.CSVLogger('log.csv'); got {callback!r}."
            )
    return [copy.copy(callback) for callback in callbacks or ()]


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
        self._stack, self._update = ExitStack(), ignore

    def __enter__(self):
        display = get_display()
        if display is None and self.verbose == 1:
            display = self._stack.enter_context(Display())
        if display is not None:
            bar = display.task("Training", self.n_epochs)
            self._update = self._stack.enter_context(bar)
        return self

    def __exit__(self, *error):
        self._stack.__exit__(*error)

    def on_train_begin(self, state):
        # A resumed training reports the epochs of its checkpoint at once.
        self._advance(state.n_done)

    def on_batch_end(self, fraction, loss):
        self._advance(fraction)

    def on_epoch_end(self, state):
        losses = ", ".join(f"{name} {values[-1]:.4f}" for name, values in state.history.items())
        last = state.first_epoch + self.n_epochs
        text = f"Epoch {state.first_epoch + state.n_done}/{last}: {losses}"
        self._update(description=text)
        if self.verbose > 1:
            print(text)

    def on_train_end(self, state):
        # After early stopping too the fractions that listeners add up reach the number of epochs.
        if state.n_done < self.n_epochs:
            self._advance(self.n_epochs - state.n_done)

    def _advance(self, fraction):
        self._update(advance=fraction)
        if self._listener is not None:
            self._listener(fraction)
