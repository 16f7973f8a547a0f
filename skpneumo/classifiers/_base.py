"""The base of the classifiers: a fit, in the order in which it happens."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from functools import partial
from numbers import Integral, Real
from typing import Self

import joblib
import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skpneumo._utils.fork import check_process
from skpneumo._utils.mlflow_tracking import tracked_fit
from skpneumo._utils.progress import track_fit
from skpneumo._utils.targets import two_classes
from skpneumo._utils.typing import XRays
from skpneumo.classifiers._callbacks import (
    EarlyStopping,
    KerasCallbacks,
    ProgressReporter,
)
from skpneumo.classifiers._checkpoint import (
    Checkpoint,
    get_checkpoint_path,
    load_checkpoint,
    remove_checkpoint,
)
from skpneumo.classifiers._data import check_training_set
from skpneumo.classifiers._fit_cache import (
    get_fit_key,
    load_fit,
    save_fit,
)
from skpneumo.classifiers._network import unchanged_on_error
from skpneumo.classifiers._prediction import NetworkPredictor
from skpneumo.classifiers._trace_cache import borrow_trainer
from skpneumo.classifiers._training import (
    append_history,
    compile_network,
    compute_loss,
    cosine_decay,
    count_augmented_epochs,
    count_steps,
    find_stage,
    train,
)
from skpneumo.classifiers._validation_split import split_validation
from skpneumo.networks import PRECISIONS

# So that a fit waits for an equal one in another thread, and takes its network.
_FIT_LOCK = threading.RLock()


class BasePneumoniaClassifier(NetworkPredictor):
    """scikit-learn classifier over a Keras network for two classes of X-rays.

    A subclass writes out its ``__init__``; what else it defines is listed in `NetworkOwner`.
    """

    # With metadata routing it requests the patients itself, for ``validation``.
    __metadata_request__fit = {"groups": True}

    _parameter_constraints = {
        "image_size": ["array-like", None],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "threshold": [Interval(Real, 0, 1, closed="both")],
        "augmentation": [HasMethods(["to_augmentation"]), StrOptions({"auto"}), None],
        "validation": [Interval(Real, 0, 1, closed="neither"), HasMethods(["split"]), None],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "precision": [StrOptions(set(PRECISIONS))],
        "callbacks": [list, tuple, None],
        "memory": [str, os.PathLike, joblib.Memory, None],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # -- fit --------------------------------------------------------------------------------------

    @tracked_fit
    def fit(
        self,
        X: XRays,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
            X-rays: uint8, floats in [0, 1], or files.
        y : array-like of shape (n,)
            Two labels; pneumonia is the greater one, such as "PNEUMONIA" after "NORMAL".
        sample_weight : array-like of shape (n,), default=None
            Weight of each image in the loss, multiplied by the class weight.
        groups : array-like of shape (n,), default=None
            The patient of each image: ``validation`` keeps the images of one on one side.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter or the data are not valid. The estimator is left as it was.
        """
        check_process()
        self._validate_params()
        resume = self.warm_start and self.initialized_
        data = self._check_data(X, y, self.classes_ if resume else None, sample_weight, groups)
        # A resumed fit depends on the network of the call before, which is not part of a key.
        key = None if resume else get_fit_key(self, data)
        checkpoint_path = get_checkpoint_path(self.memory, key)
        with track_fit(), _FIT_LOCK, unchanged_on_error(self, resume):
            vars(self).pop("callbacks_", None)  # of an earlier fit
            if not load_fit(self, key):
                self._learn(data, resume, checkpoint_path)
                save_fit(self, key)
        # Also if the fit was reused: another process may have finished the one that was killed
        # here.
        remove_checkpoint(checkpoint_path)
        # Not part of a reused fit: labels are encoded in its key, so that fits with other labels
        # share it.
        self.classes_ = data.classes
        return self

    def _check_data(self, X, y, classes=None, sample_weight=None, groups=None):
        return check_training_set(
            X,
            y,
            classes=classes,
            class_weight=self.class_weight,
            sample_weight=sample_weight,
            groups=groups,
        )

    def _learn(self, data, resume, checkpoint_path):
        """Train all stages, from random or pretrained weights or from those of the last fit."""
        seeds = self._draw_seeds()
        if not resume:
            # Before the images are resized: image_size=None takes the size from them.
            self._initialize_network(data.X, seeds.network)
        rows, validation_rows = split_validation(self.validation, data, seeds.validation)
        data = replace(data, X=self._resize_to_network(data.X, resume))
        validation_data = data.select(validation_rows) if len(validation_rows) else None
        data = data.select(rows)
        stages, history = self.get_stages(), {}
        n_steps = count_steps(len(data), self.batch_size)
        callbacks = KerasCallbacks(self._take_callbacks(), stages, n_steps)
        saved = load_checkpoint(checkpoint_path)
        for number, stage in enumerate(stages):
            # The killed training had finished this stage; its checkpoint holds the network after
            # it.
            if saved is not None and number < saved.stage:
                history = saved.earlier
                continue
            self._set_trainable(stage.trainable)
            # A trainer is traced for these sizes: a trace for several would differ in the last bit.
            batch_sizes = tuple(
                min(self.batch_size, len(part)) for part in (data, validation_data) if part
            )
            # Only now: `_set_trainable` may have replaced a network whose backbone is shared by a
            # copy.
            network = self._fitted_network
            with network.changing(), borrow_trainer(network.head, batch_sizes) as trainer:
                losses = self._train(
                    trainer,
                    stage,
                    data,
                    validation_data,
                    seeds,
                    callbacks,
                    learning_rate=cosine_decay(stage.learning_rate, stage.epochs * n_steps),
                    first_epoch=len(history.get("loss", [])),
                    n_augmented=count_augmented_epochs(stages),
                    checkpoint=Checkpoint(checkpoint_path, number, history),
                    resume_from=saved if saved is not None and number == saved.stage else None,
                )
            history = append_history(history, losses)
        self._finish(stages[-1].learning_rate)
        self.history_ = history

    def _train(
        self,
        network,
        stage,
        data,
        validation_data,
        seeds,
        keras_callbacks,
        *,
        first_epoch,
        learning_rate=None,
        n_augmented=np.inf,
        checkpoint=None,
        resume_from=None,
    ):
        """Train one stage; return its history."""
        read = self._make_reader(data.X, seeds.augmentation, n_augmented, is_read_repeatedly=True)
        callbacks = [
            # First, so that the others print the validation loss and save the best weights of this
            # epoch.
            *([] if validation_data is None else [self._make_early_stopping(validation_data)]),
            keras_callbacks,
            ProgressReporter(stage.epochs, self.verbose),
            checkpoint or Checkpoint(None),
        ]
        return train(
            network,
            read,
            data.y,
            data.sample_weight,
            epochs=stage.epochs,
            batch_size=self.batch_size,
            seed=seeds.order,
            learning_rate=learning_rate,
            first_epoch=first_epoch,
            callbacks=callbacks,
            resume_from=resume_from,
        )

    def _make_early_stopping(self, validation_data):
        loss = partial(
            compute_loss,
            read=self._make_reader(validation_data.X, is_read_repeatedly=True),
            y=validation_data.y,
            sample_weight=validation_data.sample_weight,
            batch_size=self.batch_size,
        )
        return EarlyStopping(loss, self.patience)

    def partial_fit(
        self,
        X: XRays,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one more epoch, on these images.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
            X-rays, as in `fit`.
        y : array-like of shape (n,)
            Labels.
        classes : array-like of shape (2,), default=None
            Both labels; needed in the first call if ``y`` holds only one of them.
        sample_weight : array-like of shape (n,), default=None
            Weight of each image in the loss, multiplied by the class weight.

        Returns
        -------
        self
        """
        check_process()
        self._validate_params()
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' cannot be computed from a part of the data. Give a dict "
                "of weights for partial_fit."
            )
        resume = self.initialized_
        if resume:
            classes = self.classes_
        elif classes is not None:
            classes = two_classes(np.asarray(classes))
        data = self._check_data(X, y, classes, sample_weight)
        with _FIT_LOCK, unchanged_on_error(self, resume):
            self._learn_one_epoch(data, resume)
        self.classes_ = data.classes
        return self

    def _learn_one_epoch(self, data, resume):
        seeds = self._draw_seeds()
        if not resume:
            self._initialize_network(data.X, seeds.network)
        data = replace(data, X=self._resize_to_network(data.X, resume))
        history = getattr(self, "history_", {})
        epoch = len(history.get("loss", []))
        stage = find_stage(self.get_stages(), epoch)._replace(epochs=1)
        # Adam keeps its moments unless another stage begins.
        keeps_moments = self._fitted_network.compiled_for == stage
        if not keeps_moments:
            self._set_trainable(stage.trainable)
            self._fitted_network.compiled_for = stage
        network = self._fitted_network
        if not (keeps_moments and network.head.compiled):
            compile_network(network.head, stage.learning_rate)
        with network.changing():
            n_steps = count_steps(len(data), self.batch_size)
            callbacks = KerasCallbacks(self._take_callbacks(), [stage], n_steps)
            losses = self._train(
                network.head, stage, data, None, seeds, callbacks, first_epoch=epoch
            )
        self.history_ = append_history(history, losses)

    def initialize(self, X: XRays, y: ArrayLike) -> Self:
        """Build the network with the initial weights of a training, and train nothing.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
            X-rays, as in `fit`.
        y : array-like of shape (n,)
            Two labels.

        Returns
        -------
        self
        """
        check_process()
        self._validate_params()
        data = self._check_data(X, y)
        with _FIT_LOCK, unchanged_on_error(self, False):
            self._initialize_network(data.X, self._draw_seeds().network)
        # An earlier fit may have left the history of another network.
        vars(self).pop("history_", None)
        self.classes_ = data.classes
        return self
