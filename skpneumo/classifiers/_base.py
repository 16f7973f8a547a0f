"""What the classifiers share: scikit-learn's contract over scikeras.

scikeras is imported here and nowhere else.
"""

import os
import threading
from contextlib import contextmanager
from functools import partial
from numbers import Integral, Real

import numpy as np
from scikeras.wrappers import KerasClassifier
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.utils import (
    ClassifierTags,
    assert_all_finite,
    check_consistent_length,
    check_random_state,
    column_or_1d,
)
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from skpneumo.classifiers._batches import decode_if_it_fits, image_reader
from skpneumo.classifiers._checkpoint import Checkpoint
from skpneumo.classifiers._features import feature_reader
from skpneumo.classifiers._reuse import (
    fit_key,
    fit_once,
    predict_once,
    unchanged_on_error,
)
from skpneumo.classifiers._training import (
    ask,
    compile_network,
    falling_rate,
    n_steps,
    train,
)
from skpneumo.classifiers._validation import check_weights_of_split, split_validation
from skpneumo.classifiers._weights import check_sample_weight, training_weights
from skpneumo.images import (
    USUAL_AUGMENTATION,
    XRaySequence,
    as_xrays,
    bring_to_size,
    check_augmentation,
    check_image_size,
)
from skpneumo.metrics._targets import check_groups, check_labels, two_classes
from skpneumo.networks import PRECISIONS, resolve_precision, tidy_up

# One in so many epochs, the last ones, sees the images as they are: see Touvron et al., "Fixing the
# train-test resolution discrepancy", NeurIPS 2019.
_PLAIN_SHARE = 8
# scikeras seeds the whole process while it builds a network.
_ONE_FIT_AT_A_TIME = threading.RLock()


@contextmanager
def _labelled_by_codes(estimator, classes):
    """Let scikeras see 0 and 1 for labels: what it keeps is equal for fits of other labels."""
    estimator.classes_ = np.array([0, 1])
    with config_context(transform_output="default"):
        yield
    estimator.classes_ = classes


class BasePneumoniaClassifier(KerasClassifier):
    """scikit-learn classifier over a Keras network for two classes of X-rays.

    A subclass writes out its ``__init__``, implements `_build_network`, and may override
    `_stages`, `_set_trainable` and `_parts`.
    """

    # scikeras reads these; a network here is never given from outside.
    model = build_fn = None
    loss = "binary_crossentropy"
    # Whether other estimators may hold the same network.
    _shared = False
    # Whether a network starts from what `weights` says, or is about to be given its weights.
    _loads_weights = True
    n_views = 1
    # Rows or columns of the largest images that are not scaled down where nobody gave a size.
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

    # scikeras reads parameters out of __dict__ and accepts any name: take scikit-learn's back.
    _get_param_names = classmethod(BaseEstimator._get_param_names.__func__)
    get_params = BaseEstimator.get_params
    set_params = BaseEstimator.set_params
    __repr__ = BaseEstimator.__repr__

    def __sklearn_tags__(self):
        # scikeras has ClassifierMixin behind the base class, where its tags are never asked.
        tags = BaseEstimator.__sklearn_tags__(self)
        tags.estimator_type = "classifier"
        tags.classifier_tags = ClassifierTags(multi_class=False)
        tags.target_tags.required = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.input_tags.positive_only = True
        return tags

    def _build_network(self, image_size):
        """Keras model, not compiled, for images of this size."""
        raise NotImplementedError

    def _stages(self):
        """Stages of a training: (epochs, learning rate, name of what is trained)."""
        return [(self.epochs, self.learning_rate, "all")]

    def _set_trainable(self, name):
        """Choose which layers of the network a stage may change; all of them by default."""

    def _parts(self):
        """Frozen part of the network, or None, and the part over it, or all of it."""
        return None, self.model_

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
        self._validate_params()
        X, y = self._validate_data(X, column_or_1d(y, warn=True))
        groups = check_groups(groups, y)
        continues = self.warm_start and self.initialized_
        classes = self.classes_ if continues else two_classes(y)
        check_labels(y, classes)
        weights = training_weights(y, classes, self.class_weight, sample_weight)
        codes = (y == classes[1]).astype(int)
        key = None if continues else fit_key(self, X, codes, weights, groups)
        checkpoint = Checkpoint.of_fit(self.memory, key)

        def learn():
            with unchanged_on_error(self, continues), _labelled_by_codes(self, classes):
                super(KerasClassifier, self).fit(
                    X,
                    codes,
                    sample_weight=weights,
                    groups=groups,
                    classes=classes,
                    checkpoint=checkpoint,
                )

        with _ONE_FIT_AT_A_TIME:
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
                "class_weight='balanced' cannot be told from a part of the data. Give a dict of "
                "weights for partial_fit."
            )
        self._validate_params()
        X, y = self._validate_data(X, column_or_1d(y, warn=True))
        if self.initialized_:
            classes = self.classes_
        else:
            classes = two_classes(y if classes is None else np.asarray(classes))
        check_labels(y, classes)
        weights = training_weights(y, classes, self.class_weight, sample_weight)
        codes = (y == classes[1]).astype(int)
        with (
            _ONE_FIT_AT_A_TIME,
            unchanged_on_error(self, self.initialized_),
            _labelled_by_codes(self, classes),
        ):
            super(KerasClassifier, self).partial_fit(
                X, codes, sample_weight=weights, classes=classes, partial=True
            )
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
        return super().score(X, y, sample_weight)

    # -- what is overridden of scikeras -------------------------------------------------------

    def _validate_data(self, X=None, y=None, reset=False, y_numeric=False):
        if X is not None:
            X = as_xrays(X)
        if y is not None:
            y = column_or_1d(y, warn=True)
            assert_all_finite(y, input_name="y")
            if y.dtype == object and any(label is None for label in y):
                raise ValueError("Input y contains None.")
            check_classification_targets(y)
        if X is not None and y is not None:
            check_consistent_length(X, y)
            if reset:
                self.image_size_ = self._network_size(X)
                if isinstance(self._random_state, Integral):
                    self._random_state = int(self._random_state)  # Keras takes no other
        return X, y

    @staticmethod
    def _validate_sample_weight(X, y, sample_weight):
        return X, y, check_sample_weight(sample_weight, len(y))

    def _keras_build_fn(self):
        tidy_up()
        self.precision_ = resolve_precision(self.precision)
        model = self._build_network(self.image_size_)
        compile_network(model, self.learning_rate, "SGD")
        return model

    def _fit_keras_model(
        self,
        X,
        y,
        sample_weight,
        warm_start,
        epochs,
        initial_epoch,
        classes,
        groups=None,
        partial=False,
        checkpoint=None,
    ):
        y, seed = y.ravel(), self._seed()
        labels = classes[y.astype(int)]
        validation = None if partial else self.validation
        rows, held_back = split_validation(validation, X, labels, groups, seed)
        if sample_weight is not None:
            check_weights_of_split(y, sample_weight, rows, held_back)
            rows = rows[sample_weight[rows] > 0]

        def select(rows):
            part = X if len(rows) == len(X) else X[rows]
            return part, y[rows], None if sample_weight is None else sample_weight[rows]

        unsized = isinstance(X, XRaySequence) and X.size is None
        if unsized and self.image_size is None and not warm_start:
            X = decode_if_it_fits(X, X[0].shape)
        X = bring_to_size(X, self.image_size_)
        options = {"batch_size": self.batch_size, "seed": seed, "verbose": self.verbose}
        if partial:
            self._train_epoch(select(rows), initial_epoch, options)
        else:
            options["patience"] = self.patience
            held_back = select(held_back) if len(held_back) else None
            self._train_stages(select(rows), held_back, options, checkpoint)

    def _predict_raw(self, X):
        check_is_fitted(self)
        X, _ = self._validate_data(X)
        X = bring_to_size(X, self.image_size_)
        parts = self._parts()

        def compute():
            return ask(parts[1], self._reader(X), len(X), self.batch_size)

        return predict_once(parts, X, self.memory, compute).copy()

    # -- training -----------------------------------------------------------------------------

    def _reader(self, X, seed=None, plain_from=np.inf):
        """Function that gives what is trained or asked what it takes; augmented with a seed."""
        backbone, _ = self._parts()
        augmentation = None if seed is None else self._augmentation(backbone is not None)
        if backbone is not None:
            return feature_reader(backbone, X, self.batch_size, augmentation, self.n_views)

        def augment(image, row, epoch):
            return image if epoch >= plain_from else augmentation(image, [seed, epoch, row])

        return image_reader(X, None if augmentation is None else augment)

    def _augmentation(self, is_frozen):
        if self.augmentation == "auto":
            return None if is_frozen else USUAL_AUGMENTATION
        if self.augmentation is None:
            return None
        return check_augmentation(self.augmentation.to_augmentation())

    def _train_stages(self, learn, held_back, options, checkpoint):
        history = {}
        kept = checkpoint.load()
        n_epochs = sum(epochs for epochs, _, _ in self._stages())
        plain_from = n_epochs - n_epochs // _PLAIN_SHARE
        for stage, (epochs, rate, name) in enumerate(self._stages()):
            if kept is not None and stage < kept["stage"]:
                history = kept["earlier"]
                continue
            options["kept"] = kept if kept is not None and stage == kept["stage"] else None
            options["keep"] = partial(checkpoint.save, stage=stage, earlier=history)
            self._set_trainable(name)
            steps = epochs * n_steps(len(learn[1]), self.batch_size)
            options |= {"epochs": epochs, "first_epoch": len(history.get("loss", []))}
            part = self._train(learn, held_back, falling_rate(rate, steps), options, plain_from)
            history = {key: history.get(key, []) + values for key, values in part.items()}
        self._finish(rate)
        self.history_ = history

    def _train_epoch(self, learn, epoch, options):
        ends = np.cumsum([epochs for epochs, _, _ in self._stages()])
        stage = min(np.searchsorted(ends, epoch, side="right"), len(ends) - 1)
        _, rate, name = self._stages()[stage]
        if getattr(self, "_ready_for", None) != (name, rate):
            self._set_trainable(name)
            self._ready_for = name, rate
        elif self._parts()[1].compiled:
            rate = None  # goes on with the moments it has
        part = self._train(learn, None, rate, options | {"epochs": 1, "first_epoch": epoch})
        history = getattr(self, "history_", {})
        self.history_ = history | {key: history.get(key, []) + part[key] for key in part}

    def _train(self, learn, held_back, rate, options, plain_from=np.inf):
        backbone, network = self._parts()
        if rate is not None:
            compile_network(network, rate)

        def readable(part, seed=None):
            X, y, weights = part
            if backbone is None:
                X = decode_if_it_fits(X, self.image_size_)
            return self._reader(X, seed, plain_from), y, weights

        if held_back is not None:
            held_back = readable(held_back)
        return train(network, *readable(learn, options["seed"]), held_back=held_back, **options)

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

    def _seed(self):
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return check_random_state(self.random_state).randint(np.iinfo(np.int32).max)

    def _rebuild(self, image_size, classes, precision, weights, history):
        """Bring an estimator to where a fit of another, with these parameters, left that one."""
        given = self.image_size, self.precision
        self.image_size, self.precision, self._loads_weights = image_size, precision, False
        try:
            with _ONE_FIT_AT_A_TIME, _labelled_by_codes(self, classes):
                self._initialize(np.zeros((2, *image_size), np.uint8), np.array([0, 1]))
        finally:
            self.image_size, self.precision = given
            del self._loads_weights
        self.classes_, self.history_ = classes, history
        _, rate, name = self._stages()[-1]
        self._set_trainable(name)
        self._finish(rate)
        self.model_.set_weights(weights)

    def _start_key(self):
        """Key of what training starts from beside the parameters."""
