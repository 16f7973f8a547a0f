"""The part of a classifier that builds, holds and hands out its network."""

import os
import threading
from functools import partial
from itertools import islice
from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from skpneumo._utils.fork import check_process
from skpneumo.classifiers._data import ImageReader, augment_until, load_if_fits_in_memory
from skpneumo.classifiers._feature_cache import FeatureReader
from skpneumo.classifiers._hashing import hash_file
from skpneumo.classifiers._initial_network import find_model_file, read_initial_network
from skpneumo.classifiers._network import FittedNetwork
from skpneumo.classifiers._scikeras import RepairedKerasClassifier
from skpneumo.classifiers._training import Stage, compile_network
from skpneumo.images import (
    DEFAULT_AUGMENTATION,
    XRaySequence,
    check_augmentation,
    check_image_size,
    resize_to,
)
from skpneumo.networks import float32_policy, release_memory, resolve_precision, seed_stream

# Two threads that access ``model_`` get the same network.
_HAND_OUT_LOCK = threading.RLock()


class _Seeds(NamedTuple):
    """Independent seeds for all that a fit draws."""

    network: int
    validation: int
    order: int
    augmentation: int


class NetworkOwner(RepairedKerasClassifier):
    """Estimator with a network of its own, which it shares with equal fits until one changes it.

    A subclass implements `_build_network`, and may override `get_stages`, `_set_trainable`,
    `_shares_backbone`, `_choose_architecture`, `_find_model_file`, `_get_weights_key`,
    `_largest_side`, `_pretrained_name`, `weights` and `n_views`.
    """

    # Largest side of images that are not scaled down without an image_size.
    _largest_side = None
    # Smallest side of an input of the network, below which they are not scaled down.
    _smallest_side = 1
    # Name of the packaged network of the class.
    _pretrained_name = None
    # Initial weights; None draws them.
    weights = None
    # Augmented views of each image while a frozen network computes features of them.
    n_views = 4

    def _build_network(self, image_size, seed, *, load_weights, shares_backbone):
        """Keras model, not compiled, for images of this size.

        ``load_weights`` is False if the caller sets all its weights, ``shares_backbone`` is True
        if its frozen part may be one that others hold too.
        """
        raise NotImplementedError

    def get_stages(self):
        """Stages of a training, by the parameters.

        Returns
        -------
        list of Stage
            In their order, each with ``epochs``, ``learning_rate`` and ``trainable``.
        """
        return [Stage(self.epochs, self.learning_rate)]

    def _set_trainable(self, trainable):
        """Choose the layers that a stage trains; all of them by default."""

    def _shares_backbone(self):
        """Whether the network is built over a frozen part that others hold too."""
        return False

    def _choose_architecture(self, initial):
        """Set what the network is built from beside parameters, given the `InitialNetwork`."""

    def _find_model_file(self):
        """Path of the model file to start from, or None."""
        return find_model_file(self.weights, self._pretrained_name)

    def _starts_from_model_file(self):
        if self.weights is None or self.weights == "imagenet":
            return False
        # After the fit the file may be gone.
        if self.initialized_ and self.initial_network_ is not None:
            return True
        return find_model_file(self.weights, self._pretrained_name) is not None

    def _read_initial_network(self):
        path = self._find_model_file()
        return None if path is None else read_initial_network(path, self._pretrained_name)

    def _get_weights_key(self):
        """Key of the file of initial weights, whose name is a parameter; None without one."""
        path = self._find_model_file()
        return None if path is None or not os.path.isfile(path) else hash_file(path)

    @property
    def model_(self):
        """The network, which is this estimator's alone from now on."""
        if not self.initialized_:
            raise AttributeError(
                f"This {type(self).__name__} has no model_ yet. Call fit before using it."
            )
        with _HAND_OUT_LOCK:
            if not self._fitted_network.is_handed_out:
                # Taking a copy unpickles a network, which would hang in a forked process.
                check_process()
                self._take_own_network()
                self._fitted_network.is_handed_out = True
        return self._network

    @model_.setter
    def model_(self, network):
        if not self.initialized_:
            raise AttributeError(
                f"This {type(self).__name__} is not fitted: there is no network to replace. Call "
                "fit or initialize first."
            )
        self._fitted_network = FittedNetwork(network)
        # The user who sets it still holds it, and may change it at any time.
        self._fitted_network.is_handed_out = True

    @property
    def _network(self):
        """The network, to be read and not to be changed."""
        return self._fitted_network.model

    def _take_own_network(self):
        """Copy a network that other estimators may hold."""
        if self._fitted_network.is_shared or self._fitted_network.shares_backbone:
            self._fitted_network = self._fitted_network.copy()

    def _draw_seeds(self):
        if isinstance(self.random_state, Integral):
            seed = int(self.random_state)
        else:
            seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        return _Seeds(*islice(seed_stream(seed), len(_Seeds._fields)))

    def _initialize_network(self, X, seed):
        initial = self._read_initial_network()
        self._choose_architecture(initial)
        self.initial_network_ = None if initial is None else initial.provenance
        self.image_size_ = self._choose_image_size(X)
        self.precision_ = resolve_precision(self.precision)
        self._fitted_network = self._make_network(seed, initial)

    def _choose_image_size(self, X):
        if self.image_size is not None:
            return check_image_size(self.image_size)
        size = X.size or X[0].shape if isinstance(X, XRaySequence) else X.shape[1:]
        if self._largest_side is None or max(size) <= self._largest_side:
            return size
        scale = max(self._largest_side / max(size), self._smallest_side / min(size))
        return tuple(max(1, round(side * min(scale, 1))) for side in size)

    def _resize_to_network(self, X, resume):
        is_unsized = isinstance(X, XRaySequence) and X.size is None
        if is_unsized and self.image_size is None and not resume:
            # Files without a size must all have that of the first one: decoding them checks it.
            X = load_if_fits_in_memory(X, X[0].shape)
        return resize_to(X, self.image_size_)

    def _make_network(self, seed=None, initial=None, *, load_weights=True):
        release_memory()
        # Weights that the caller sets would change those of others.
        shares_backbone = load_weights and self._shares_backbone()
        with float32_policy():
            model = self._build_network(
                self.image_size_, seed, load_weights=load_weights, shares_backbone=shares_backbone
            )
            # All estimators that share a backbone started from one file: it does not change.
            if initial is not None:
                initial.copy_weights_to(model)
            compile_network(model, self.learning_rate, "SGD")
        return FittedNetwork(model, shares_backbone=shares_backbone)

    def _set_trained_stage(self):
        """Leave a network as a training does: its last stage trainable, no moments kept."""
        stage = self.get_stages()[-1]
        self._set_trainable(stage.trainable)
        self._finish(stage.learning_rate)

    def _finish(self, learning_rate):
        # Plain descent has no moments to keep in memory and to pickle.
        compile_network(self._fitted_network.head, learning_rate, "SGD")
        self._fitted_network.compiled_for = None

    def _rebuild(self, image_size, classes, precision, weights, history, initial_network):
        """Restore the result of a fit with these parameters, and ``filters_`` of a CNN."""
        self.image_size_, self.precision_ = image_size, precision
        self.initial_network_ = initial_network
        self._fitted_network = self._make_network(load_weights=False)
        self.classes_, self.history_ = classes, history
        self._set_trained_stage()
        self._network.set_weights(weights)

    def _compute_in(self, precision):
        """Let the network compute in another type, with the same weights."""
        precision = resolve_precision(precision)
        if precision != self.precision_:
            fit = getattr(self, "history_", {}), self.initial_network_
            weights = self._network.get_weights()
            self._rebuild(self.image_size_, self.classes_, precision, weights, *fit)

    def _make_reader(self, X, seed=None, n_augmented=np.inf, *, is_read_repeatedly=False):
        """Reader of the inputs of the head, augmented with a seed in the first epochs."""
        network = self._fitted_network
        is_frozen = network.backbone is not None
        augmentation = None if seed is None else self._get_augmentation(is_frozen)
        if is_frozen:
            return FeatureReader(network, X, self.batch_size, augmentation, self.n_views)
        # A prediction reads each image once, so that decoding all of them beforehand would gain
        # nothing.
        if is_read_repeatedly:
            X = load_if_fits_in_memory(X, self.image_size_)
        if augmentation is None:
            return ImageReader(X)
        return ImageReader(X, partial(augment_until, augmentation, seed, n_augmented))

    def _get_augmentation(self, is_frozen):
        if self.augmentation == "auto":
            return None if is_frozen else DEFAULT_AUGMENTATION
        if self.augmentation is None:
            return None
        return check_augmentation(self.augmentation.to_augmentation())
