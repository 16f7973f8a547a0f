"""InceptionV3 by transfer learning."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any, Literal

import keras
from sklearn.utils._param_validation import Interval, StrOptions

from skpneumo._utils.caching import NETWORKS
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
from skpneumo.classifiers._fit_cache import get_network_bytes
from skpneumo.classifiers._training import Stage
from skpneumo.images import file_identity
from skpneumo.networks import (
    MIN_SIDE,
    TRAINABLE,
    build_backbone,
    build_inception,
    set_trainable,
)


class InceptionPneumoniaClassifier(BasePneumoniaClassifier):
    """InceptionV3 that detects pneumonia in chest X-rays, pretrained on ImageNet.

    Training has two stages, as usual in transfer learning: first the head alone, over the frozen
    pretrained network, then also the layers selected by ``trainable``, at a lower learning rate.
    Without pretrained weights everything is trained from the start. From a network that was trained
    on X-rays already there is one stage, at the lower learning rate.

    Parameters
    ----------
    image_size : tuple of (int, int), default=None
        Rows and columns of the input of the network, at least 75 each; other images are resized to
        it. None takes the size of the images given to `fit`, scaled down if a side is longer than
        150: larger images cost more time than they gained in accuracy.
    weights : {"imagenet", "pretrained"}, path or None, default="imagenet"
        Initialization of the network. "imagenet" downloads 88 MB, once. Without internet access
        pass the path of that file (the error names its address), or None for random weights.
        "pretrained" takes the network that comes with the package, its head included, and the path
        of a file of `~skpneumo.save_model` the network in it, the first one if there are several.
        A file is read by `fit` and not needed afterwards.
    trainable : {"auto", "head", "upper", "blocks", "all"}, default="auto"
        What the second or only stage trains: "head" only the head, "upper" also the last three
        inception blocks, "blocks" all of them, so that only the five convolutions before them keep
        their weights, "all" everything. "auto" is "blocks" over weights pretrained on ImageNet and
        "all" over random ones or those of a network that was trained on X-rays.
    head_epochs : int, default=1
        Number of epochs of the first stage, which is left out if ``weights`` is None or those of a
        network with a trained head, or if ``trainable`` is "head".
    dropout : float, default=0.2
        Dropout rate of the features.
    class_weight : dict, "balanced" or None, default=None
        Weight of each label in the loss, such as ``{"NORMAL": 1, "PNEUMONIA": 4}``. "balanced"
        weighs by inverse frequency, which lowers the weight of pneumonia if it is frequent.
    threshold : float, default=0.5
        Decision threshold on the probability of the positive class.
    augmentation : XRayAugmenter, "auto" or None, default="auto"
        Augmentation of the images, drawn again in every epoch of training and not applied in
        prediction. While the head is trained alone, each image has ``n_views`` augmented views,
        and each epoch takes the next. "auto" is an :class:`~skpneumo.XRayAugmenter` with its
        defaults, but None for the head alone. The last eighth of the epochs sees the images as
        they are.
    n_views : int, default=4
        Number of augmented views of each image while the head is trained alone. They depend on
        the image alone, not on ``random_state``, and their features are computed once for all
        folds, candidates and processes.
    validation : float, splitter or None, default=None
        Validation data for early stopping: a fraction of the images (stratified; images of one
        group and copies of one image stay together), the first split of a splitter such as
        :class:`~sklearn.model_selection.PredefinedSplit`, or None for no early stopping.
    patience : int, default=5
        With ``validation``: number of epochs without a lower loss on it after which a stage
        stops. The weights of the best epoch are kept.
    epochs : int, default=5
        Maximum number of epochs of the second or only stage. Random weights need several times as
        many.
    batch_size : int, default=32
        Batch size.
    learning_rate : float, default=0.001
        Initial learning rate of Adam in the first or only stage, with cosine decay to zero.
    fine_tune_learning_rate : float, default=0.0002
        Initial learning rate of Adam in the second stage, and in the only one from a network with a
        trained head, with cosine decay to zero.
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
        "loss", and "val_loss" with ``validation``, by epoch; the second stage follows the first.
    image_size_ : tuple of (int, int)
        Rows and columns of the input of the network.
    initial_network_ : dict or None
        The trained network of skpneumo that the training started from: "name", "fingerprint" and
        "notes" (such as data and licence) of its model, and "initial_network", the same of the one
        that it started from itself. None without one.
    precision_ : {"float32", "bfloat16"}
        Type in which the network computes.
    callbacks_ : list of keras.callbacks.Callback
        Those that were called by the last fit, if there were any. Not part of a pickle or a copy.

    See Also
    --------
    CNNPneumoniaClassifier : A small network, trained from scratch.

    References
    ----------
    Kermany et al., "Identifying Medical Diagnoses and Treatable Diseases by Image-Based Deep
    Learning", Cell 172 (2018), 1122-1131, the first to do so on these X-rays.

    Examples
    --------
    >>> from sklearn.model_selection import cross_val_score
    >>> from skpneumo import InceptionPneumoniaClassifier
    >>> from skpneumo.datasets import make_xrays
    >>> xrays = make_xrays(400, image_size=(96, 88), random_state=0)
    >>> clf = InceptionPneumoniaClassifier(weights=None, epochs=2)
    >>> cross_val_score(clf, xrays.images, xrays.target, scoring="roc_auc")  # doctest: +SKIP
    """

    _pretrained_name = "inception"
    _largest_side, _smallest_side = 150, MIN_SIDE
    _parameter_constraints = BasePneumoniaClassifier._parameter_constraints | {
        "weights": [str, os.PathLike, None],
        "trainable": [StrOptions({"auto", *TRAINABLE})],
        "n_views": [Interval(Integral, 1, None, closed="left")],
        "head_epochs": [Interval(Integral, 1, None, closed="left")],
        "fine_tune_learning_rate": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        image_size: Size | None = None,
        *,
        weights: Literal["imagenet", "pretrained"] | PathLike | None = "imagenet",
        trainable: Literal["auto", "head", "upper", "blocks", "all"] = "auto",
        head_epochs: int = 1,
        dropout: float = 0.2,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        threshold: float = 0.5,
        augmentation: Augmenter | Literal["auto"] | None = "auto",
        n_views: int = 4,
        validation: float | Splitter | None = None,
        patience: int = 5,
        epochs: int = 5,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        fine_tune_learning_rate: float = 2e-4,
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
        self.head_epochs = head_epochs
        self.dropout = dropout
        self.class_weight = class_weight
        self.threshold = threshold
        self.augmentation = augmentation
        self.n_views = n_views
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
        return build_inception(
            image_size,
            weights=self.weights,
            dropout=self.dropout,
            precision=self.precision_,
            seed=seed,
            make_backbone=self._get_shared_backbone
            if shares_backbone
            else partial(build_backbone, load=load_weights and self.initial_network_ is None),
        )

    def _shares_backbone(self):
        return [stage.trainable for stage in self.get_stages()] == ["head"]

    def _get_shared_backbone(self, image_size, *, weights, precision, seed):
        """Frozen network, shared by all equal estimators of this process: building takes long."""
        # Drawn without a seed: every estimator has random weights of its own, and shares them with
        # none.
        if weights is None and not isinstance(self.random_state, Integral):
            return build_backbone(image_size, weights=weights, precision=precision, seed=seed)
        # With weights that are loaded the seed decides nothing.
        used_seed = seed if weights is None else None
        key = "backbone", str(weights), self._get_weights_key(), image_size, precision, used_seed
        backbone = NETWORKS.get(key)
        if backbone is None:
            backbone = build_backbone(
                image_size,
                weights=weights,
                precision=precision,
                seed=seed,
                load=self.initial_network_ is None,
            )
            NETWORKS.put(key, backbone, get_network_bytes(backbone))
        return backbone

    def get_stages(self) -> list[Stage]:
        """Stages of a training: the head alone first, over weights pretrained on ImageNet.

        Returns
        -------
        list of Stage
            In their order, each with ``epochs``, ``learning_rate`` and ``trainable``.
        """
        is_trained = self._starts_from_model_file()
        trainable = self.trainable
        if trainable == "auto":
            trainable = "all" if self.weights is None or is_trained else "blocks"
        if self.weights is None or trainable == "head":
            return [Stage(self.epochs, self.learning_rate, trainable)]
        first = [] if is_trained else [Stage(self.head_epochs, self.learning_rate, "head")]
        return [*first, Stage(self.epochs, self.fine_tune_learning_rate, trainable)]

    def _set_trainable(self, trainable):
        # Training it would change the backbone of all estimators that share it.
        if self._fitted_network.shares_backbone and trainable != "head":
            self._take_own_network()
        set_trainable(self._network, trainable)

    def _get_weights_key(self):
        if self._find_model_file() is not None:
            return super()._get_weights_key()
        # "imagenet" names one file, which is verified by its hash when it is downloaded.
        if self.weights in ("imagenet", None) or not os.path.isfile(self.weights):
            return None
        return file_identity(self.weights)
