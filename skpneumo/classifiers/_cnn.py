"""A small convolutional network."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, Literal

import keras
from sklearn.utils._param_validation import Interval, StrOptions

from skpneumo._utils.typing import (
    Augmenter,
    Memory,
    PathLike,
    Precision,
    RandomState,
    Size,
    Splitter,
)
from skpneumo.classifiers._base import BasePneumoniaClassifier
from skpneumo.classifiers._initial_network import choose_filters
from skpneumo.classifiers._training import Stage
from skpneumo.exceptions import WeightsError
from skpneumo.networks import FILTERS, build_cnn, is_frozen, set_trainable


class CNNPneumoniaClassifier(BasePneumoniaClassifier):
    """Convolutional network that detects pneumonia in chest X-rays.

    A small residual network, see :func:`skpneumo.networks.build_cnn`, whose first layer equalizes
    the exposure of the image. Small enough to be cross-validated on a laptop. It is trained from
    scratch, or starts from a trained one.

    Parameters
    ----------
    image_size : tuple of (int, int), default=None
        Rows and columns of the input of the network; other images are resized to it. None takes
        the size of the images given to `fit`, scaled down if a side is longer than 96: larger
        images cost more time than they gained in accuracy. Files of several sizes need a size.
    weights : {"pretrained"}, path or None, default=None
        Initialization of the network, its head included: "pretrained" takes the network that comes
        with the package (`~skpneumo.load_pretrained`), a path the network in a file of
        `~skpneumo.save_model`, the first one if there are several. None draws random weights. The
        file is read by `fit` and not needed afterwards.
    trainable : {"all", "head"}, default="all"
        What is trained: everything, or the head alone over the frozen convolutions, whose features
        are computed once for each image.
    filters : sequence of int, default=None
        Filters of the first convolution and of each block of two that follows; from the second
        block on, each has half the resolution of the one before. None takes those of the network
        that ``weights`` names, and (32, 40, 80, 160) without one.
    dropout : float, default=0.3
        Dropout rate of the features.
    class_weight : dict, "balanced" or None, default=None
        Weight of each label in the loss, such as ``{"NORMAL": 1, "PNEUMONIA": 4}``. "balanced"
        weighs by inverse frequency, which lowers the weight of pneumonia if it is frequent.
    threshold : float, default=0.5
        Decision threshold on the probability of the positive class.
    augmentation : XRayAugmenter, "auto" or None, default="auto"
        Augmentation of the images, drawn again in every epoch of training and not applied in
        prediction. "auto" is an :class:`~skpneumo.XRayAugmenter` with its defaults, but None for
        the head alone. The last eighth of the epochs, rounded down, sees the images as they are,
        so that probabilities are right for such images. While the head is trained alone, an
        augmenter makes four views of each image, and each epoch takes the next.
    validation : float, splitter or None, default=None
        Validation data for early stopping: a fraction of the images (stratified; images of one
        group and copies of one image stay together), the first split of a splitter such as
        :class:`~sklearn.model_selection.PredefinedSplit`, or None for no early stopping.
    patience : int, default=5
        With ``validation``: number of epochs without a lower loss on it after which training
        stops. The weights of the best epoch are kept.
    epochs : int, default=20
        Maximum number of epochs.
    batch_size : int, default=32
        Batch size.
    learning_rate : float, default=0.001
        Initial learning rate of Adam from random weights and of the head alone, with cosine decay
        to zero.
    fine_tune_learning_rate : float, default=0.0001
        The same if all of a trained network is trained further.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Type in which the network computes. bfloat16 is faster on GPUs and on CPUs with AMX or
        AVX512-BF16, and slower elsewhere; "auto" selects. Probabilities are float32.
    callbacks : list of keras.callbacks.Callback, default=None
        Called while the network is trained as `keras.Model.fit` does it, such as ``CSVLogger``,
        ``TensorBoard`` or ``LambdaCallback``, with the losses in ``logs``. Copies are called
        (``callbacks_``). A fit with callbacks always trains: it is neither cached nor resumed.
    memory : str, path or joblib.Memory, default=None
        Folder in which fitted networks and their predictions are cached, as
        :class:`~sklearn.pipeline.Pipeline` caches transformers, so that later processes and the
        workers of ``n_jobs`` reuse them too. An integer ``random_state`` is needed.
    warm_start : bool, default=False
        Whether to reuse the solution of the previous call to `fit` as initialization.
    random_state : int, RandomState instance or None, default=None
        Controls initialization, shuffling and augmentation. Pass an int for the same network at
        every call, and for the reuse of fits that differ only in ``threshold``.
    verbose : int, default=0
        0 is silent, 1 shows a progress bar, 2 a line per epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The labels; the second is pneumonia.
    model_ : keras.Model
        The network, of this estimator alone: changing it changes no other estimator. After the
        first access, predictions are computed at every call, since it may have changed.
    history_ : dict of str to list of float
        "loss", and "val_loss" with ``validation``, by epoch.
    image_size_ : tuple of (int, int)
        Rows and columns of the input of the network.
    filters_ : tuple of int
        Filters of the network.
    initial_network_ : dict or None
        The trained network that the training started from: "name", "fingerprint" and "notes" (such
        as data and licence) of its model, and "initial_network", the same of the one that it
        started from itself. None without one.
    precision_ : {"float32", "bfloat16"}
        Type in which the network computes.
    callbacks_ : list of keras.callbacks.Callback
        Those that were called by the last fit, if there were any. Not part of a pickle or a copy.

    See Also
    --------
    InceptionPneumoniaClassifier : A larger network, pretrained on ImageNet.
    skpneumo.load_pretrained : The network that ``weights="pretrained"`` starts from.

    Examples
    --------
    >>> from skpneumo import CNNPneumoniaClassifier
    >>> from skpneumo.datasets import make_xrays
    >>> xrays = make_xrays(60, image_size=(48, 40), random_state=0)
    >>> clf = CNNPneumoniaClassifier(filters=(4, 8), epochs=1, random_state=0)
    >>> clf.fit(xrays.images, xrays.target).predict_proba(xrays.images).shape
    (60, 2)

    Start from the network that comes with the package:

    >>> clf = CNNPneumoniaClassifier(weights="pretrained", trainable="head", epochs=2)
    >>> clf.fit(xrays.images, xrays.target).filters_
    (48, 56, 112, 224)
    """

    filters_: tuple[int, ...]

    _largest_side = 96
    _pretrained_name = "cnn"
    _parameter_constraints = BasePneumoniaClassifier._parameter_constraints | {
        "weights": [str, os.PathLike, None],
        "trainable": [StrOptions({"all", "head"})],
        "filters": ["array-like", None],
        "fine_tune_learning_rate": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        image_size: Size | None = None,
        *,
        weights: Literal["pretrained"] | PathLike | None = None,
        trainable: Literal["all", "head"] = "all",
        filters: Sequence[int] | None = None,
        dropout: float = 0.3,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        threshold: float = 0.5,
        augmentation: Augmenter | Literal["auto"] | None = "auto",
        validation: float | Splitter | None = None,
        patience: int = 5,
        epochs: int = 20,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        fine_tune_learning_rate: float = 1e-4,
        precision: Precision = "auto",
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        memory: Memory | None = None,
        warm_start: bool = False,
        random_state: RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.image_size = image_size
        self.weights = weights
        self.trainable = trainable
        self.filters = filters
        self.dropout = dropout
        self.class_weight = class_weight
        self.threshold = threshold
        self.augmentation = augmentation
        self.validation = validation
        self.patience = patience
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.fine_tune_learning_rate = fine_tune_learning_rate
        self.precision = precision
        self.callbacks = callbacks
        self.memory = memory
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _build_network(self, image_size, seed, *, load_weights, shares_backbone):
        return build_cnn(
            image_size,
            filters=self.filters_,
            dropout=self.dropout,
            precision=self.precision_,
            seed=seed,
        )

    def _choose_architecture(self, initial):
        self.filters_ = choose_filters(self.filters, initial) or FILTERS

    def get_stages(self) -> list[Stage]:
        """Stages of a training, by the parameters: one.

        Returns
        -------
        list of Stage
            In their order, each with ``epochs``, ``learning_rate`` and ``trainable``.
        """
        is_tuned = self.trainable == "all" and self._starts_from_model_file()
        learning_rate = self.fine_tune_learning_rate if is_tuned else self.learning_rate
        return [Stage(self.epochs, learning_rate, self.trainable)]

    def _set_trainable(self, trainable):
        # Layers of a network that a user has set or frozen in part stay as they are.
        if trainable == "head" or is_frozen(self._network):
            set_trainable(self._network, trainable)

    def _find_model_file(self):
        path = super()._find_model_file()
        if path is None and self.weights is not None:
            raise WeightsError(
                f"weights={os.fspath(self.weights)!r} is no model file. Wanted: 'pretrained', the "
                "path of a file of save_model, or None for random weights."
            )
        return path
