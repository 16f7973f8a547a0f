"""Groups reach the splitter and the estimator, with and without metadata routing."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skpneumo.metrics import recall_scorer
from skpneumo.model_selection import OperatingPointClassifierCV


class Spy(StratifiedGroupKFold):
    """Keeps the groups that it is given."""

    seen = []

    def split(self, X, y=None, groups=None):
        self.seen.append(groups)
        yield from super().split(X, y, groups)


class Keeper(LogisticRegression):
    """Keeps the groups that it is given."""

    def fit(self, X, y, groups=None):
        self.groups_ = groups
        return super().fit(X, y)


def patients_of(groups, rows):
    return len(np.unique(groups[rows]))


@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("routing", [False, True])
def test_groups_reach_the_search_inside(table, routing, refit):
    X, y, groups = table
    search = GridSearchCV(LogisticRegression(), {"C": [1e-3, 1]}, cv=Spy(2), scoring="roc_auc")
    model = OperatingPointClassifierCV(search, min_recall=0.8, cv=3, refit=refit)
    del Spy.seen[:]
    with config_context(enable_metadata_routing=routing):
        model.fit(X, y, groups=groups)
    expected = [groups[train] for train, _ in StratifiedGroupKFold(3).split(X, y, groups)]
    expected += [groups] if refit else []
    assert sorted(map(list, Spy.seen)) == sorted(map(list, expected))
    assert model.predict(X).shape == (300,)


def test_groups_reach_an_estimator_whose_fit_names_them(table):
    X, y, groups = table
    model = OperatingPointClassifierCV(Keeper(), min_recall=0.8, cv=3, refit=True)
    model.fit(X, y, groups=groups)
    assert model.estimator_.groups_ is groups
    assert model.fit(X, y).estimator_.groups_ is None
    twice = OperatingPointClassifierCV(
        OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8), min_recall=0.8, cv=3
    ).fit(X, y, groups=groups)
    assert {fold.unit_ for fold in twice.estimator_.fold_estimators_} == {"patient"}


def test_groups_reach_a_search_inside_a_pipeline_by_name(table):
    X, y, groups = table
    search = GridSearchCV(LogisticRegression(), {"C": [1e-3, 1]}, cv=StratifiedGroupKFold(2))
    pipe = make_pipeline(StandardScaler(), search)
    model = OperatingPointClassifierCV(pipe, min_recall=0.8, cv=3)
    with pytest.raises(ValueError, match="groups"):
        model.fit(X, y, groups=groups)
    model.fit(X, y, groups=groups, gridsearchcv__groups=groups)
    assert model.unit_ == "patient"


def test_groups_reach_an_operating_point_through_a_cross_validation(table):
    X, y, groups = table
    model = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8, cv=3)
    outer = StratifiedGroupKFold(3)
    without = cross_val_score(
        model, X, y, groups=groups, params={"groups": groups}, cv=outer, scoring=recall_scorer
    )
    with config_context(enable_metadata_routing=True):
        routed = cross_val_score(
            model, X, y, params={"groups": groups}, cv=outer, scoring=recall_scorer
        )
    by_hand = []
    for train, test in outer.split(X, y, groups):
        one = clone(model).fit(X[train], y[train], groups=groups[train])
        assert one.n_positive_units_ == patients_of(groups, train[y[train] == "PNEUMONIA"])
        by_hand.append(recall_scorer(one, X[test], y[test]))
    np.testing.assert_array_equal(without, by_hand)
    np.testing.assert_array_equal(routed, by_hand)


@pytest.mark.parametrize("cv", [None, "splits"])
def test_groups_are_routed_to_an_operating_point_of_any_cv(table, cv):
    X, y, groups = table
    rows = np.arange(300)
    if cv == "splits":  # it needs no groups, but the certified recall does
        cv = [(rows[groups > "patient 5"], rows[groups <= "patient 5"])]
        cv = [*cv, cv[0][::-1]]
    with config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8),
            {"estimator__C": [1]},
            scoring=recall_scorer,
            cv=StratifiedGroupKFold(2),
            refit=False,
            error_score="raise",
        ).fit(X, y, groups=groups)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        pipe = make_pipeline(
            OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8, cv=cv)
        ).fit(X, y, groups=groups)
    assert pipe[-1].n_positive_units_ == patients_of(groups, y == "PNEUMONIA")


def test_routing_passes_on_what_is_requested(table, rng):
    X, y, groups = table
    weight = rng.exponential(1, 300)
    plain = OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8, cv=3, refit=True)
    plain.fit(X, y, groups=groups, sample_weight=weight)
    with config_context(enable_metadata_routing=True):
        inner = LogisticRegression().set_fit_request(sample_weight=True)
        model = OperatingPointClassifierCV(inner, min_recall=0.8, cv=3, refit=True)
        model.fit(X, y, groups=groups, sample_weight=weight)
        np.testing.assert_array_equal(model.curve_.threshold, plain.curve_.threshold)
        np.testing.assert_array_equal(model.estimator_.coef_, plain.estimator_.coef_)
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            OperatingPointClassifierCV(LogisticRegression(), min_recall=0.8).fit(
                X, y, sample_weight=weight
            )


def test_groups_are_passed_to_an_estimator_that_takes_them(table):
    X, y, groups = table
    with config_context(enable_metadata_routing=True):
        model = OperatingPointClassifierCV(
            Keeper().set_fit_request(groups=True), min_recall=0.8, refit=True
        )
        model.fit(X, y, groups=groups)
        assert model.estimator_.groups_ is groups
        model.set_params(estimator=Keeper().set_fit_request(groups=False))
        assert model.fit(X, y, groups=groups).estimator_.groups_ is None
