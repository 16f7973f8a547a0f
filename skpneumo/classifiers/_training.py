"""Training a Keras network and predicting with it, without any estimator.

The loops are our own: `keras.Model.fit` reads Python-made batches through TensorFlow's generator
dataset, which changes how the whole process allocates memory and doubles the time of a step.
"""

import keras
import numpy as np

from skpneumo._utils.fork import check_process
from skpneumo.classifiers._batches import padded_batches, prefetch
from skpneumo.classifiers._checkpoint import restore
from skpneumo.classifiers._progress import progress_of
from skpneumo.networks import LeakFreeAdam, quiet_tracing

_OPTIMIZERS = {"Adam": LeakFreeAdam, "SGD": keras.optimizers.SGD}


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
    """Learning rate that falls to zero along a cosine [1]_.

    References
    ----------
    .. [1] Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
       ICLR 2017.
    """
    # Typed: Keras would compute with a Python number in its global floatx.
    return keras.optimizers.schedules.CosineDecay(np.float32(learning_rate), n_steps)


def n_steps(n_images, batch_size):
    """Steps of one epoch."""
    return -(-n_images // batch_size)


def train(
    model,
    read,
    y,
    weights=None,
    *,
    epochs,
    batch_size,
    seed,
    learning_rate=None,
    first_epoch=0,
    held_back=None,
    patience=1,
    verbose=0,
    kept=None,
    keep=None,
):
    """Train a compiled network.

    Parameters
    ----------
    model : keras.Model
        Changed in place.
    read : callable
        Gives what the network takes: called as ``read(rows, epoch)`` with an array of row numbers.
    y : ndarray of shape (n,)
        0 or 1.
    weights : ndarray of shape (n,), default=None
        Weights in the loss.
    epochs : int
        How many at most.
    batch_size : int
        Images per step.
    seed : int
        Decides the order of the images, together with the epoch.
    learning_rate : callable, default=None
        Learning rate of each step, called as ``learning_rate(step)``; None leaves it as it is.
    first_epoch : int, default=0
        Number of the first epoch.
    held_back : tuple of (read, y, weights), default=None
        Training ends when the loss on these has not fallen for ``patience`` epochs, with the
        weights of the best epoch.
    patience : int, default=1
        See ``held_back``.
    verbose : int, default=0
        0 is silent, 1 a progress bar, 2 a line per epoch.
    kept : dict, default=None
        What `Checkpoint.load` found of this training, to go on from.
    keep : callable, default=None
        Keeps each finished epoch: called as ``keep(model, told, best_weights)``.

    Returns
    -------
    dict of str to list of float
        "loss", and "val_loss" where there is ``held_back``, by epoch.

    Raises
    ------
    ValueError
        If the loss stops being a number.
    """
    weights = np.ones(len(y), dtype=np.float32) if weights is None else weights
    history = {"loss": []} if held_back is None else {"loss": [], "val_loss": []}
    best_loss, best_weights, waited = np.inf, None, 0
    if kept is not None:
        restore(model, kept)
        history, best_loss, waited = kept["history"], kept["best_loss"], kept["waited"]
        best_weights = kept["best"] or None
    done = len(history["loss"])
    with progress_of(epochs, verbose) as report, quiet_tracing():
        report(done)
        for epoch in range(first_epoch + done, first_epoch + epochs):
            if waited >= patience:
                report(first_epoch + epochs - epoch)
                break
            loss = _train_epoch(
                model, read, y, weights, batch_size, learning_rate, seed, epoch, report
            )
            if not np.isfinite(loss):
                raise ValueError(
                    f"The loss is not a number any more in epoch {epoch + 1}. Lower "
                    "learning_rate, or look at very large sample or class weights."
                )
            history["loss"].append(loss)
            if held_back is not None:
                loss = evaluate_loss(model, *held_back, batch_size)
                history["val_loss"].append(loss)
                waited += 1
                if loss < best_loss:
                    best_loss, best_weights, waited = loss, model.get_weights(), 0
            text = f"Epoch {epoch + 1}/{first_epoch + epochs}: " + ", ".join(
                f"{name} {values[-1]:.4f}" for name, values in history.items()
            )
            report(0, text)
            if verbose > 1:
                print(text)
            if keep is not None:
                told = {"history": history, "best_loss": best_loss, "waited": waited}
                keep(model, told, best_weights)
    if best_weights is not None:
        model.set_weights(best_weights)
    return history


def _train_epoch(model, read, y, weights, batch_size, learning_rate, seed, epoch, report):
    order = np.random.default_rng([seed, epoch]).permutation(len(y))

    def prepare(batch):
        rows, n_own = batch
        batch_weights = weights[rows].copy()
        batch_weights[n_own:] = 0
        return read(rows, epoch), y[rows], batch_weights

    steps = n_steps(len(y), batch_size)
    total = 0.0
    for inputs, targets, batch_weights in prefetch(prepare, padded_batches(order, batch_size)):
        model.reset_metrics()
        if learning_rate is not None:
            model.optimizer.learning_rate = learning_rate(model.optimizer.iterations)
        # Keras's mean is over the filling of the last batch too.
        total += len(inputs) * float(model.train_on_batch(inputs, targets, batch_weights))
        report(1 / steps)
    return total / len(y)


def evaluate_loss(model, read, y, weights=None, batch_size=32):
    """Mean weighted log loss of a network on what ``read(rows)`` gives."""
    probability = ask(model, read, len(y), batch_size)[:, 0].astype(np.float64)
    probability = np.clip(probability, 1e-7, 1 - 1e-7)
    losses = -np.where(y == 1, np.log(probability), np.log(1 - probability))
    return float(np.mean(losses if weights is None else losses * weights))


def ask(model, read, n, batch_size):
    """What a network says of each image.

    Parameters
    ----------
    model : keras.Model
        The network.
    read : callable
        Gives what the network takes: called as ``read(rows)`` with an array of row numbers.
    n : int
        Number of rows.
    batch_size : int
        Images per step.

    Returns
    -------
    ndarray of shape (n, n_outputs)
    """
    check_process()
    # A head over features has computed before it could be traced.
    predict = _predict_eagerly if len(model.input_shape) == 2 else type(model).predict_on_batch
    if n <= batch_size:
        with quiet_tracing():
            return predict(model, read(np.arange(n)))

    def prepare(batch):
        rows, n_own = batch
        return read(rows), n_own

    batches = prefetch(prepare, padded_batches(np.arange(n), batch_size))
    with quiet_tracing():
        return np.concatenate([predict(model, inputs)[:own] for inputs, own in batches])


def _predict_eagerly(model, inputs):
    return keras.ops.convert_to_numpy(model(inputs, training=False))
