"""What the classifiers share: a fit and a prediction, in the order in which they happen."""

import os
import threading
from contextlib import contextmanager
from functools import partial
from itertools import islice
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.utils import (
    assert_all_finite,
    check_consistent_length,
    check_random_state,
    column_or_1d,
)
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.fork import check_process
from skpneumo._utils.mlflow_tracking import tracked_fit
from skpneumo._utils.targets import check_groups, check_labels, two_classes
from skpneumo.classifiers._batches import image_reader, load_if_fits_in_memory
from skpneumo.classifiers._checkpoint import Checkpoint
from skpneumo.classifiers._features import feature_reader
from skpneumo.classifiers._network_key import (
    forget_key,
    hand_out,
    is_handed_out,
)
from skpneumo.classifiers._reuse import (
    fit_key,
    fit_once,
    predict_once,
    unchanged_on_error,
)
from skpneumo.classifiers._scikeras import RepairedKerasClassifier, pack_network, unpack_network
from skpneumo.classifiers._trainer import borrow_trainer
from skpneumo.classifiers._training import (
    ask,
    compile_network,
    cosine_decay,
    n_steps,
    train,
)
from skpneumo.classifiers._validation import check_weights_of_split, split_validation
from skpneumo.classifiers._weights import training_weights
from skpneumo.images import (
    DEFAULT_AUGMENTATION,
    XRaySequence,
    check_augmentation,
    check_image_size,
    check_xrays,
    resize_to,
)
from skpneumo.networks import (
    PRECISIONS,
    float32_policy,
    release_memory,
    resolve_precision,
    seed_stream,
)

# One in so many epochs, the last ones, sees the images as they are: see Touvron et al., "Fixing the
# train-test resolution discrepancy", NeurIPS 2019.
_PLAIN_SHARE = 8
# So that a fit waits for an equal one in another thread, and takes its network.
_ONE_FIT_AT_A_TIME = threading.RLock()
_ONE_IS_HANDED_OUT = threading.RLock()


class _Seeds(NamedTuple):
    """Independent seeds for all that a fit draws."""

    network: int
    validation: int
    order: int
    augmentation: int


class BasePneumoniaClassifier(RepairedKerasClassifier):
    """scikit-learn classifier over a Keras network for two classes of X-rays.

    A subclass writes out its ``__init__``, implements `_build_network`, and may override
    `_stages`, `_set_trainable` and `_parts`.
    """

    # Whether other estimators may hold the same network, or its frozen part.
    _shared = False
    _shares_backbone = False
    n_views = 1
    # With metadata routing it requests the patients itself, for ``validation``.
    __metadata_request__fit = {"groups": True}
    # Largest side of images that are not scaled down without an image_size.
    _largest_side = None

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
        "memory": [str, os.PathLike, HasMethods(["cache"]), None],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def _build_network(self, image_size, seed, load):
        """Keras model, not compiled, for images of this size.

        ``load`` is False where the caller sets all its weights.
        """
        raise NotImplementedError

    def _stages(self):
        """Stages of a training: (epochs, learning rate, name of what is trained)."""
        return [(self.epochs, self.learning_rate, "all")]

    def _set_trainable(self, name):
        """Choose which layers of the network a stage may change; all of them by default."""

    def _parts(self):
        """Frozen part of the network, or None, and the part over it, or all of it."""
        return None, self._network

    @property
    def model_(self):
        """The network, which is this estimator's alone from now on."""
        if not self.initialized_:
            raise AttributeError(
                f"This {type(self).__name__} has no model_ yet. Call fit before using it."
            )
        with _ONE_IS_HANDED_OUT:
            if not is_handed_out(self._network):
                check_process()
                self._take_own_network()
                for network in (self._network, *filter(None, self._parts())):
                    hand_out(network)
        return self._network

    @model_.setter
    def model_(self, network):
        if not self.initialized_:
            raise AttributeError(
                f"This {type(self).__name__} is not fitted: there is no network to replace. Call "
                "fit or initialize first."
            )
        hand_out(network)
        self._network, self._shared, self._shares_backbone = network, False, False

    @tracked_fit
    def fit(self, X, y, *, sample_weight=None, groups=None):
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
            The child of each image: ``validation`` keeps the images of one on one side.

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
        X, y = self._validate_data(X, column_or_1d(y, warn=True))
        groups = check_groups(groups, y)
        resume = self.warm_start and self.initialized_
        classes = self.classes_ if resume else two_classes(y)
        check_labels(y, classes)
        weights = training_weights(y, classes, self.class_weight, sample_weight)
        codes = (y == classes[1]).astype(int)
        key = None if resume else fit_key(self, X, codes, weights, groups)
        checkpoint = Checkpoint.of_fit(self.memory, key)
        learn = partial(
            self._learn,
            *(X, codes, weights, groups),
            classes=classes,
            resume=resume,
            checkpoint=checkpoint,
        )
        with _ONE_FIT_AT_A_TIME, unchanged_on_error(self, resume):
            fit_once(self, key, learn)
        checkpoint.remove()
        self.classes_ = classes
        return self

    def partial_fit(self, X, y, classes=None, *, sample_weight=None):
        """Train for one more epoch, on these images.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
            X-rays, as in `fit`.
        y : array-like of shape (n,)
            Labels.
        classes : array-like of shape (2,), default=None
            Both labels; needed in the first call where ``y`` holds only one of them.
        sample_weight : array-like of shape (n,), default=None
            Weight of each image in the loss, multiplied by the class weight.

        Returns
        -------
        self
        """
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' cannot be computed from a part of the data. Give a dict "
                "of weights for partial_fit."
            )
        check_process()
        self._validate_params()
        X, y = self._validate_data(X, column_or_1d(y, warn=True))
        resume = self.initialized_
        if resume:
            classes = self.classes_
        else:
            classes = two_classes(y if classes is None else np.asarray(classes))
        check_labels(y, classes)
        weights = training_weights(y, classes, self.class_weight, sample_weight)
        codes = (y == classes[1]).astype(int)
        with _ONE_FIT_AT_A_TIME, unchanged_on_error(self, resume):
            seeds = self._draw_seeds()
            if not resume:
                self._initialize_network(X, seeds.network)
            self._train_one_epoch((self._at_network_size(X, resume), codes, weights), seeds)
        self.classes_ = classes
        return self

    def initialize(self, X, y):
        """Build the network with the weights that training would start from, and train nothing.

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
        X, y = self._validate_data(X, y)
        classes = two_classes(y)
        with _ONE_FIT_AT_A_TIME, unchanged_on_error(self, False):
            self._initialize_network(X, self._draw_seeds().network)
        vars(self).pop("history_", None)
        self.classes_ = classes
        return self

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
            X-rays; another size than ``image_size_`` is resized to it.

        Returns
        -------
        ndarray of shape (n, 2), dtype float32
            In the order of ``classes_``: normal, pneumonia.
        """
        pneumonia = self._predict_raw(X)
        return np.hstack([1 - pneumonia, pneumonia])

    def predict_log_proba(self, X):
        """Logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
            X-rays; another size than ``image_size_`` is resized to it.

        Returns
        -------
        ndarray of shape (n, 2), dtype float32
            In the order of ``classes_``; minus infinity where a probability is 0.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X):
        """Label of each X-ray: pneumonia where its probability reaches ``threshold``.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
            X-rays; another size than ``image_size_`` is resized to it.

        Returns
        -------
        ndarray of shape (n,)
            Labels out of ``classes_``.
        """
        pneumonia = self.predict_proba(X)[:, 1]
        return self.classes_[(pneumonia >= self.threshold).astype(int)]

    def score(self, X, y, sample_weight=None):
        """Accuracy of `predict`.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3), of paths, or XRaySequence
            X-rays.
        y : array-like of shape (n,)
            True labels.
        sample_weight : array-like of shape (n,), default=None
            Weight of each image.

        Returns
        -------
        float
        """
        return accuracy_score(y, self.predict(X), sample_weight=sample_weight)

    # -- from data to a network ---------------------------------------------------------------

    @staticmethod
    def _validate_data(X, y):
        X, y = check_xrays(X), column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        if y.dtype == object and any(label is None for label in y):
            raise ValueError("Input y contains None.")
        check_classification_targets(y)
        check_consistent_length(X, y)
        return X, y

    def _draw_seeds(self):
        if isinstance(self.random_state, Integral):
            seed = int(self.random_state)
        else:
            seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        return _Seeds(*islice(seed_stream(seed), len(_Seeds._fields)))

    def _initialize_network(self, X, seed):
        self.image_size_ = self._network_size(X)
        self.precision_ = resolve_precision(self.precision)
        self._network, self._shared = self._make_network(seed), False

    def _make_network(self, seed=None, *, load=True):
        release_memory()
        with float32_policy():
            network = self._build_network(self.image_size_, seed, load)
            compile_network(network, self.learning_rate, "SGD")
        return network

    def _take_own_network(self):
        """Copy a network that other estimators may hold."""
        if self._shared or self._shares_backbone:
            self._network = unpack_network(*pack_network(self._network))
            self._shared = self._shares_backbone = False

    def _set_trained_stage(self):
        """Leave a network as a training does: its last stage trainable, no moments kept."""
        _, rate, name = self._stages()[-1]
        self._set_trainable(name)
        self._finish(rate)

    def _at_network_size(self, X, resume):
        unsized = isinstance(X, XRaySequence) and X.size is None
        if unsized and self.image_size is None and not resume:
            X = load_if_fits_in_memory(X, X[0].shape)
        return resize_to(X, self.image_size_)

    def _learn(self, X, y, weights, groups, *, classes, resume, checkpoint):
        """Train all stages, from random or pretrained weights or from those of the last fit."""
        seeds = self._draw_seeds()
        if not resume:
            self._initialize_network(X, seeds.network)
        split = split_validation(self.validation, X, classes[y], groups, seeds.validation)
        rows, validation_rows = split
        if weights is not None:
            check_weights_of_split(y, weights, rows, validation_rows)
            rows = rows[weights[rows] > 0]
        X = self._at_network_size(X, resume)

        def select(rows):
            part = X if len(rows) == len(X) else X[rows]
            return part, y[rows], None if weights is None else weights[rows]

        validation_data = select(validation_rows) if len(validation_rows) else None
        self._train_stages(select(rows), validation_data, seeds, checkpoint)

    def _predict_raw(self, X):
        check_is_fitted(self)
        X = resize_to(check_xrays(X), self.image_size_)
        parts = self._parts()

        def compute():
            return ask(parts[1], self._reader(X), len(X), self.batch_size)

        if is_handed_out(self._network):
            return compute()
        return predict_once(parts, X, self.memory, compute).copy()

    # -- training -----------------------------------------------------------------------------

    def _reader(self, X, seed=None, plain_from=np.inf):
        """Function that returns what the network takes; augmented with a seed."""
        backbone, _ = self._parts()
        augmentation = None if seed is None else self._augmentation(backbone is not None)
        if backbone is not None:
            return feature_reader(backbone, X, self.batch_size, augmentation, self.n_views)

        def augment(image, row, epoch):
            return image if epoch >= plain_from else augmentation(image, [seed, epoch, row])

        return image_reader(X, None if augmentation is None else augment)

    def _augmentation(self, is_frozen):
        if self.augmentation == "auto":
            return None if is_frozen else DEFAULT_AUGMENTATION
        if self.augmentation is None:
            return None
        return check_augmentation(self.augmentation.to_augmentation())

    def _train_stages(self, data, validation_data, seeds, checkpoint):
        history = {}
        kept = checkpoint.load()
        n_epochs = sum(epochs for epochs, _, _ in self._stages())
        batch_sizes = tuple(
            min(self.batch_size, len(y)) for _, y, _ in filter(None, (data, validation_data))
        )
        plain_from = n_epochs - n_epochs // _PLAIN_SHARE
        for stage, (epochs, rate, name) in enumerate(self._stages()):
            if kept is not None and stage < kept["stage"]:
                history = kept["earlier"]
                continue
            self._set_trainable(name)
            steps = epochs * n_steps(len(data[1]), self.batch_size)
            _, network = self._parts()
            with self._weights_changing(), borrow_trainer(network, batch_sizes) as trainer:
                part = self._train(
                    trainer,
                    data,
                    validation_data,
                    seeds,
                    plain_from,
                    learning_rate=cosine_decay(rate, steps),
                    epochs=epochs,
                    first_epoch=len(history.get("loss", [])),
                    patience=self.patience,
                    kept=kept if kept is not None and stage == kept["stage"] else None,
                    keep=partial(checkpoint.save, stage=stage, earlier=history),
                )
            history = {key: history.get(key, []) + values for key, values in part.items()}
        self._finish(rate)
        self.history_ = history

    def _train_one_epoch(self, data, seeds):
        history = getattr(self, "history_", {})
        epoch = len(history.get("loss", []))
        ends = np.cumsum([epochs for epochs, _, _ in self._stages()])
        stage = min(np.searchsorted(ends, epoch, side="right"), len(ends) - 1)
        _, rate, name = self._stages()[stage]
        is_ready = getattr(self, "_ready_for", None) == (name, rate)
        if not is_ready:
            self._set_trainable(name)
            self._ready_for = name, rate
        _, network = self._parts()
        if not (is_ready and network.compiled):  # else it goes on with the moments it has
            compile_network(network, rate)
        with self._weights_changing():
            part = self._train(network, data, None, seeds, epochs=1, first_epoch=epoch)
        self.history_ = history | {key: history.get(key, []) + part[key] for key in part}

    def _train(self, network, data, validation_data, seeds, plain_from=np.inf, **options):
        backbone, _ = self._parts()

        def readable(part, seed=None):
            X, y, weights = part
            if backbone is None:
                X = load_if_fits_in_memory(X, self.image_size_)
            return self._reader(X, seed, plain_from), y, weights

        if validation_data is not None:
            validation_data = readable(validation_data)
        return train(
            network,
            *readable(data, seeds.augmentation),
            held_back=validation_data,
            batch_size=self.batch_size,
            seed=seeds.order,
            verbose=self.verbose,
            **options,
        )

    @contextmanager
    def _weights_changing(self):
        # Before too: what another thread predicts meanwhile must not be kept for the old weights.
        self._forget_keys()
        try:
            yield
        finally:
            self._forget_keys()

    def _forget_keys(self):
        backbone, network = self._parts()
        forget_key(network)
        if backbone is not None:  # which stays what it is, and so does its key
            forget_key(self._network, nested=False)

    def _finish(self, rate):
        # Plain descent has no moments to keep in memory and to pickle.
        compile_network(self._parts()[1], rate, "SGD")
        self._ready_for = None

    def _network_size(self, X):
        if self.image_size is not None:
            return check_image_size(self.image_size)
        size = X.size or X[0].shape if isinstance(X, XRaySequence) else X.shape[1:]
        if self._largest_side is None or max(size) <= self._largest_side:
            return size
        return tuple(max(1, round(side * self._largest_side / max(size))) for side in size)

    def _rebuild(self, image_size, classes, precision, weights, history):
        """Bring an estimator to where a fit of another, with these parameters, left that one."""
        self.image_size_, self.precision_ = image_size, precision
        self._network, self._shared = self._make_network(load=False), False
        self.classes_, self.history_ = classes, history
        self._set_trained_stage()
        self._network.set_weights(weights)

    def _start_key(self):
        """Key of what training starts from beside the parameters."""
