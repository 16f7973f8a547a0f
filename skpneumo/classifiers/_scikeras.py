"""scikeras, imported here and nowhere else, with its scikit-learn contract repaired."""

from __future__ import annotations

from sklearn.base import BaseEstimator
from sklearn.utils import ClassifierTags

from skpneumo._utils.documentation import DocumentationLink
from skpneumo.networks import quiet_start_up

# After skpneumo.networks, which loads Keras without noise.
with quiet_start_up():
    from scikeras.wrappers import KerasClassifier


# Public names that only scikeras has, and those that the class below sets for it.
_NOT_SHOWN = {"build_fn", "loss", "model"}.union(
    *(vars(kind) for kind in KerasClassifier.__mro__ if kind.__module__.startswith("scikeras"))
) - {"initialized_"}


class RepairedKerasClassifier(DocumentationLink, KerasClassifier):
    """`KerasClassifier` that scikit-learn takes for a classifier, with a network of its own.

    A subclass keeps its network in ``_fitted_network``; the public ``model_`` is its own property.
    """

    # scikeras reads these; here a network is never given as a parameter.
    model = build_fn = None
    loss = "binary_crossentropy"

    # scikeras reads parameters out of __dict__ and accepts any name: take scikit-learn's back.
    _get_param_names = classmethod(BaseEstimator._get_param_names.__func__)
    get_params = BaseEstimator.get_params
    set_params = BaseEstimator.set_params
    __repr__ = BaseEstimator.__repr__

    def __dir__(self):
        # For completion. scikit-learn's own reads every attribute, and reading model_ hands the
        # network out.
        own = [
            kind
            for kind in type(self).__mro__
            if kind is not RepairedKerasClassifier and not kind.__module__.startswith("scikeras")
        ]
        shown = {*vars(self)}.union(*map(vars, own))
        hidden = {name for name in _NOT_SHOWN - shown if not name.startswith("_")}
        if not self.initialized_:
            hidden.add("model_")
        return sorted({*object.__dir__(self)} - hidden)

    def __sklearn_tags__(self):
        # scikeras has ClassifierMixin behind the base class, where its tags are never read.
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

    @property
    def initialized_(self) -> bool:
        """Whether there is a network, which `partial_fit` and ``warm_start`` resume."""
        return "_fitted_network" in vars(self)

    def _get_fitted_attr_html(self, doc_link=""):
        # scikit-learn's HTML page reads all attributes, and reading model_ hands the network out:
        # it is shown an estimator without one.
        shown = type(self).__new__(type(self))
        vars(shown).update({k: v for k, v in vars(self).items() if k != "_fitted_network"})
        return BaseEstimator._get_fitted_attr_html(shown, doc_link)
