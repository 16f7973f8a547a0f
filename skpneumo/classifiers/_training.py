"""Training a Keras network on batches, without any estimator."""

import hashlib

import keras
import numpy as np

from skpneumo.classifiers._batches import FollowEpochs, run_batches
from skpneumo.classifiers._progress import ReportEpochs


def compile_network(model, learning_rate, optimizer="Adam"):
    """Compile a network for two classes.

    Parameters
    ----------
    model : keras.Model
        Compiled in place.
    learning_rate : float or keras.optimizers.schedules.LearningRateSchedule
        Of the optimizer.
    optimizer : {"Adam", "SGD"}, default="Adam"
        Name of a class in `keras.optimizers`.
    """
    # On a CPU, XLA takes longer to compile these networks than it saves in a whole training.
    jit_compile = "auto" if keras.backend.backend() == "jax" else False
    optimizer = getattr(keras.optimizers, optimizer)(learning_rate)
    model.compile(optimizer, "binary_crossentropy", jit_compile=jit_compile)


def train(model, batches, held_back=None, *, epochs, first_epoch=0, patience=0, verbose=0):
    """Train a compiled network.

    Parameters
    ----------
    model : keras.Model
        Changed in place.
    batches : Batches
        Images, targets and weights to learn from.
    held_back : Batches, default=None
        Those to stop by: training ends when their loss has not fallen for ``patience`` epochs,
        with the weights of the best epoch.
    epochs : int
        How many at most.
    first_epoch : int, default=0
        Number of the first one, which decides the order of the images.
    patience : int, default=0
        See ``held_back``.
    verbose : int, default=0
        Keras's: 0 is silent, 1 a progress bar, 2 a line per epoch.

    Returns
    -------
    dict of str to list of float
        "loss", and "val_loss" where there is ``held_back``, by epoch.

    Raises
    ------
    ValueError
        If the loss stops being a number.
    """
    callbacks = [FollowEpochs(batches), ReportEpochs(), keras.callbacks.TerminateOnNaN()]
    if held_back is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True)
        )
    history = run_batches(
        model.fit,
        batches,
        validation_data=held_back,
        initial_epoch=first_epoch,
        epochs=first_epoch + epochs,
        callbacks=callbacks,
        shuffle=False,
        verbose=verbose,
    ).history
    if not np.isfinite(history["loss"]).all():
        raise ValueError(
            f"The loss is not a number any more after epoch {len(history['loss'])}. Lower "
            "learning_rate, or look at very large sample or class weights."
        )
    return {name: [float(value) for value in values] for name, values in history.items()}


def falling_rate(learning_rate, n_steps):
    """Learning rate that falls to zero along a cosine [1]_.

    References
    ----------
    .. [1] Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
       ICLR 2017.
    """
    return keras.optimizers.schedules.CosineDecay(learning_rate, n_steps)


def network_key(model):
    """Key of a network's weights: a network changed by hand is another one."""
    digest = hashlib.blake2b(digest_size=16)
    for weights in model.get_weights():
        digest.update(str(weights.shape).encode())
        digest.update(np.ascontiguousarray(weights))
    return digest.hexdigest()


def network_bytes(model):
    """Memory that the weights of a network take."""
    return sum(weights.nbytes for weights in model.get_weights())
