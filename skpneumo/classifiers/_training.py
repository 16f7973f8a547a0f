"""Training a Keras network and predicting with it, without any estimator.

The loops are our own: `keras.Model.fit` reads Python-made batches through TensorFlow's generator
dataset, which changes how the whole process allocates memory and doubles the time of a step.
"""

from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import keras
import numpy as np

from skpneumo._utils.fork import check_process
from skpneumo._utils.interrupts import deferred_interrupts
from skpneumo._utils.progress import ignore, track
from skpneumo.classifiers._data import padded_batches, prefetch, read_batches
from skpneumo.networks import LeakFreeAdam, quiet_tracing

# Fraction of the epochs, the last ones, that see the images as they are: Touvron et al., "Fixing
# the train-test resolution discrepancy", NeurIPS 2019.
_UNAUGMENTED_FRACTION = 1 / 8
_OPTIMIZERS = {"Adam": LeakFreeAdam, "SGD": keras.optimizers.SGD}


class Stage(NamedTuple):
    """Part of a training with one learning rate and one choice of layers.

    Attributes
    ----------
    epochs : int
        Maximum number of epochs.
    learning_rate : float
        Initial learning rate of Adam.
    trainable : str
        What is trained, such as "all".
    """

    epochs: int
    learning_rate: float
    trainable: str = "all"


@dataclass
class TrainingState:
    """State of a training after an epoch.

    Attributes
    ----------
    model : keras.Model
        The network.
    first_epoch : int
        Number of the first epoch, counted through all stages.
    history : dict of str to list of float
        "loss", and "val_loss" with early stopping, by epoch.
    best_loss : float
        Lowest loss on the validation data.
    best_weights : list of ndarray or None
        Weights of that epoch.
    epochs_without_improvement : int
        Epochs since then.
    is_finished : bool
        Whether no epoch follows.
    """

    model: keras.Model
    first_epoch: int
    history: dict
    best_loss: float = np.inf
    best_weights: list | None = None
    epochs_without_improvement: int = 0
    is_finished: bool = False

    @property
    def n_done(self):
        """Number of finished epochs."""
        return len(self.history["loss"])


def count_augmented_epochs(stages):
    """Number of epochs, the first ones, in which images are augmented."""
    n_epochs = sum(stage.epochs for stage in stages)
    return n_epochs - int(n_epochs * _UNAUGMENTED_FRACTION)


def find_stage(stages, epoch):
    """Stage that an epoch belongs to; epochs after the last one belong to it."""
    ends = np.cumsum([stage.epochs for stage in stages])
    return stages[min(np.searchsorted(ends, epoch, side="right"), len(stages) - 1)]


def append_history(history, losses):
    """History with the losses of further epochs."""
    return history | {name: history.get(name, []) + values for name, values in losses.items()}


def compile_network(model, learning_rate, optimizer="Adam"):
    """Compile a network for two classes.

    Parameters
    ----------
    model : keras.Model
        Compiled in place.
    learning_rate : float
        Of the optimizer.
    optimizer : {"Adam", "SGD"}, default="Adam"
        Its name.
    """
    # On a CPU, XLA takes longer to compile these networks than it saves in a whole training.
    jit_compile = "auto" if keras.backend.backend() == "jax" else False
    optimizer = _OPTIMIZERS[optimizer](learning_rate)
    # Variables made only while TensorFlow traces the first step would make it trace twice.
    optimizer.build(model.trainable_variables)
    loss = keras.losses.BinaryCrossentropy(dtype="float32")
    model.compile(optimizer, loss, jit_compile=jit_compile)
    # Keras keeps the mean loss in its global floatx, which may be float16. It is replaced past its
    # tracking of attributes, which would take it for a second metric.
    model._compile_loss._dtype = "float32"
    object.__setattr__(model, "_loss_tracker", keras.metrics.Mean("loss", dtype="float32"))


def cosine_decay(learning_rate, n_steps):
    """Learning rate with cosine decay to zero [1]_.

    References
    ----------
    .. [1] Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
       ICLR 2017.
    """
    # Typed: Keras would compute with a Python number in its global floatx.
    return keras.optimizers.schedules.CosineDecay(np.float32(learning_rate), n_steps)


def count_steps(n_images, batch_size):
    """Number of steps of one epoch."""
    return -(-n_images // batch_size)


def train(
    model,
    read,
    y,
    sample_weight=None,
    *,
    epochs,
    batch_size,
    seed,
    learning_rate=None,
    first_epoch=0,
    callbacks=(),
    resume_from=None,
):
    """Train a compiled network.

    Parameters
    ----------
    model : keras.Model
        Changed in place.
    read : callable
        Inputs of the network: called as ``read(rows, epoch)`` with an array of row numbers.
    y : ndarray of shape (n,)
        0 or 1.
    sample_weight : ndarray of shape (n,), default=None
        Weight of each image in the loss.
    epochs : int
        Maximum number of epochs.
    batch_size : int
        Images per step.
    seed : int
        Controls the order of the images, together with the epoch.
    learning_rate : callable, default=None
        Learning rate of each step, called as ``learning_rate(step)``; None leaves it as it is.
    first_epoch : int, default=0
        Number of the first epoch.
    callbacks : sequence of Callback, default=()
        Called in this order.
    resume_from : SavedTraining, default=None
        Where an interrupted training is resumed.

    Returns
    -------
    dict of str to list of float
        "loss", and what callbacks add, by epoch.

    Raises
    ------
    ValueError
        If the loss becomes NaN or infinite.
    """
    if sample_weight is None:
        sample_weight = np.ones(len(y), dtype=np.float32)
    state = TrainingState(model, first_epoch, {"loss": []})
    if resume_from is not None:
        _restore(state, resume_from)
    with ExitStack() as stack, quiet_tracing():
        for callback in callbacks:
            stack.enter_context(callback)
        for callback in callbacks:
            callback.on_train_begin(state)
        while state.n_done < epochs and not state.is_finished:
            for callback in callbacks:
                callback.on_epoch_begin(state)
            loss = _train_epoch(
                state, read, y, sample_weight, batch_size, learning_rate, seed, callbacks
            )
            state.history["loss"].append(loss)
            for callback in callbacks:
                callback.on_epoch_end(state)
        for callback in callbacks:
            callback.on_train_end(state)
    return state.history


def _restore(state, saved):
    optimizer = state.model.optimizer
    for variables, values in (
        (state.model.variables, saved.model),
        (optimizer.variables, saved.optimizer),
    ):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
    state.history, state.best_loss = saved.history, saved.best_loss
    state.best_weights = saved.best_weights or None
    state.epochs_without_improvement = saved.epochs_without_improvement


def _train_epoch(state, read, y, sample_weight, batch_size, learning_rate, seed, callbacks):
    model, epoch = state.model, state.first_epoch + state.n_done
    # By epoch, so that a resumed training sees the images in the order of an uninterrupted one.
    order = np.random.default_rng([seed, epoch]).permutation(len(y))
    prepare = partial(_read_training_batch, read, y, sample_weight, epoch)
    total, n_seen = 0.0, 0
    batches = read_batches(read, prepare, padded_batches(order, batch_size))
    for inputs, targets, batch_weights in batches:
        for callback in callbacks:
            callback.on_batch_begin()
        with deferred_interrupts():
            model.reset_metrics()
            if learning_rate is not None:
                model.optimizer.learning_rate = learning_rate(model.optimizer.iterations)
            # Keras's mean is over the filling of the last batch too.
            total += len(inputs) * float(model.train_on_batch(inputs, targets, batch_weights))
        n_seen = min(n_seen + batch_size, len(y))
        for callback in callbacks:
            callback.on_batch_end(1 / count_steps(len(y), batch_size), total / n_seen)
    loss = total / len(y)
    if not np.isfinite(loss):
        raise ValueError(
            f"The loss became NaN or infinite in epoch {epoch + 1}. Lower learning_rate, or check "
            "for very large sample or class weights."
        )
    return loss


def _read_training_batch(read, y, sample_weight, epoch, batch):
    rows, n_own = batch
    batch_weights = sample_weight[rows].copy()
    # Rows that fill up the last batch must not count twice.
    batch_weights[n_own:] = 0
    return read(rows, epoch), y[rows], batch_weights


def compute_loss(model, read, y, sample_weight=None, batch_size=32):
    """Mean weighted log loss of a network on the inputs that ``read(rows)`` returns."""
    outputs = predict_batches(model, read, len(y), batch_size, is_shown=False)
    probability = outputs[:, 0].astype(np.float64)
    # As Keras clips probabilities in its binary cross-entropy.
    probability = np.clip(probability, 1e-7, 1 - 1e-7)
    losses = -np.where(y == 1, np.log(probability), np.log(1 - probability))
    return float(np.mean(losses if sample_weight is None else losses * sample_weight))


def predict_batches(model, read, n, batch_size, *, is_shown=True):
    """Outputs of a network, batch by batch.

    Parameters
    ----------
    model : keras.Model
        The network.
    read : callable
        Inputs of the network: called as ``read(rows)`` with an array of row numbers.
    n : int
        Number of rows.
    batch_size : int
        Images per step.
    is_shown : bool, default=True
        Whether `progress` shows it.

    Returns
    -------
    ndarray of shape (n, n_outputs)
    """
    check_process()
    # One batch needs no thread that reads ahead.
    if n <= batch_size:
        with quiet_tracing():
            return _predict_batch(model, read(np.arange(n)))
    batches = prefetch(partial(_read_batch, read), padded_batches(np.arange(n), batch_size))
    shown = track("Predicting", n, "X-rays") if is_shown else nullcontext(ignore)
    outputs = []
    with quiet_tracing(), shown as update:
        for inputs, n_own in batches:
            outputs.append(_predict_batch(model, inputs)[:n_own])
            update(advance=n_own)
    return np.concatenate(outputs)


def _read_batch(read, batch):
    rows, n_own = batch
    return read(rows), n_own


def _predict_batch(model, inputs):
    with deferred_interrupts():
        # A head over features has computed before it could be traced.
        if len(model.input_shape) == 2:
            return _predict_eagerly(model, inputs)
        return model.predict_on_batch(inputs)


def _predict_eagerly(model, inputs):
    return keras.ops.convert_to_numpy(model(inputs, training=False))
