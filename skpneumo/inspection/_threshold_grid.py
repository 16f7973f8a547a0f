"""Class weights and thresholds of a finished search."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.formatting import percent
from skpneumo.inspection._drawing import axes_of, merged


class ThresholdGridDisplay:
    """Mean score of each class weight and threshold of a search.

    Create it by `from_search`. All parameters are stored as attributes.

    Parameters
    ----------
    scores : ndarray of shape (n_class_weights, n_thresholds)
        Mean scores; NaN where there was no such setting.
    class_weights : list of str
        The rows, in words.
    thresholds : list of float
        The columns.
    chosen : tuple of (int, int), default=None
        Row and column to frame. None frames none.
    score_name : str, default="score"
        What the scores are.
    weights_name : str, default="class weight"
        What the rows are.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The cells.
    text_ : ndarray of shape (n_class_weights, n_thresholds), dtype object
        Their figures, matplotlib Text; None where there is none.
    frame_ : matplotlib Rectangle or None
        The setting chosen.
    ax_ : matplotlib Axes
        Where they are.
    figure_ : matplotlib Figure
        What holds the axes.

    See Also
    --------
    skpneumo.model_selection.HighestSpecificity : Chooses a setting.
    skpneumo.model_selection.choose_candidate : Says why.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
    >>> from skpneumo.inspection import ThresholdGridDisplay
    >>> from skpneumo.metrics import SCORERS
    >>> from skpneumo.model_selection import HighestSpecificity
    >>> X, y = make_classification(300, random_state=0)
    >>> search = GridSearchCV(
    ...     FixedThresholdClassifier(LogisticRegression()),
    ...     {"estimator__class_weight": [None, {1: 4}], "threshold": [0.25, 0.5, 0.75]},
    ...     scoring=SCORERS,
    ...     refit=HighestSpecificity(min_recall=0.95),
    ...     cv=2,
    ... ).fit(X, y)
    >>> ThresholdGridDisplay.from_search(search, metric="specificity").class_weights
    ['none', '1:4']
    """

    def __init__(
        self,
        scores,
        class_weights,
        thresholds,
        *,
        chosen=None,
        score_name="score",
        weights_name="class weight",
    ):
        self.scores = scores
        self.class_weights = class_weights
        self.thresholds = thresholds
        self.chosen = chosen
        self.score_name = score_name
        self.weights_name = weights_name

    def plot(
        self,
        ax=None,
        *,
        values_format=None,
        im_kwargs=None,
        text_kwargs=None,
    ):
        """Draw the cells.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to. None makes a new figure.
        values_format : str, default=None
            Of the figures in the cells, such as ".3f". None tells scores from 0 to 1 as whole
            percents, rounded down, and others in two digits.
        im_kwargs : dict, default=None
            Passed to matplotlib's ``imshow``, such as ``{"vmin": 0, "cmap": "viridis"}``.
        text_kwargs : dict, default=None
            Passed to matplotlib's ``text`` for each figure.

        Returns
        -------
        self
        """
        from matplotlib.image import AxesImage
        from matplotlib.text import Text

        self.ax_ = axes_of(ax)
        self.figure_ = self.ax_.figure
        style = {"cmap": "cividis", "aspect": "auto", "interpolation": "nearest"}
        self.im_ = self.ax_.imshow(self.scores, **merged(style, im_kwargs, AxesImage))
        as_percent = values_format is None and _are_shares(self.scores)
        texts = {
            cell: percent(score, digits=0).rstrip("%")
            if as_percent
            else format(score, values_format or ".2g")
            for cell, score in np.ndenumerate(self.scores)
            if not np.isnan(score)
        }
        rotation = _rotation(texts.values(), len(self.thresholds))
        self.text_ = np.full(self.scores.shape, None)
        for (row, column), text in texts.items():
            style = {
                "horizontalalignment": "center",
                "verticalalignment": "center",
                "fontsize": "small",
                "rotation": rotation,
                "color": "black" if _is_light(self.im_, self.scores[row, column]) else "white",
            }
            self.text_[row, column] = self.ax_.text(
                column, row, text, **merged(style, text_kwargs, Text)
            )
        self.frame_ = None if self.chosen is None else self._framed()
        thresholds = [f"{threshold:.3g}" for threshold in self.thresholds]
        rotation = _rotation(thresholds, len(thresholds))
        self.ax_.set_xticks(range(len(thresholds)), thresholds, rotation=rotation)
        self.ax_.set_yticks(range(len(self.class_weights)), self.class_weights)
        self.ax_.set(
            xlabel="threshold",
            ylabel=self.weights_name,
            title=f"{self.score_name}{', %' if as_percent else ''}",
        )
        return self

    def _framed(self):
        from matplotlib.patches import Rectangle
        from matplotlib.patheffects import withStroke

        row, column = self.chosen
        # White on black: it shows on every colour.
        return self.ax_.add_patch(
            Rectangle(
                (column - 0.5, row - 0.5),
                1,
                1,
                fill=False,
                edgecolor="white",
                linewidth=2,
                clip_on=False,
                zorder=3,
                path_effects=[withStroke(linewidth=5, foreground="black")],
            )
        )

    @classmethod
    def from_search(
        cls,
        search,
        *,
        metric=None,
        ax=None,
        values_format=None,
        im_kwargs=None,
        text_kwargs=None,
    ):
        """Draw the settings of a search.

        Parameters
        ----------
        search : GridSearchCV
            Fitted, over one parameter whose name ends in ``class_weight`` and one whose name ends
            in ``threshold``. Where there are others too, only the settings that have the chosen
            setting's values of them are drawn.
        metric : str, default=None
            The score, of a search with several. None means "recall", or the only one.
        ax : matplotlib Axes, default=None
            Where to. None makes a new figure.
        values_format : str, default=None
            Of the figures in the cells, such as ".3f". None tells scores from 0 to 1 as whole
            percents, rounded down, and others in two digits.
        im_kwargs : dict, default=None
            Passed to matplotlib's ``imshow``, such as ``{"vmin": 0, "cmap": "viridis"}``.
        text_kwargs : dict, default=None
            Passed to matplotlib's ``text`` for each figure.

        Returns
        -------
        ThresholdGridDisplay
            The frame is around the setting chosen, ``best_params_``.

        Raises
        ------
        ValueError
            If the search lacks one of both parameters or the score, or has other parameters and
            has chosen no setting.
        """
        check_is_fitted(search, "cv_results_")
        params = search.cv_results_["params"]
        means, score_name = _means(search, metric)
        weight_name, threshold_name = (
            _parameter(params, ending) for ending in ("class_weight", "threshold")
        )
        best = getattr(search, "best_index_", None)
        rows = _alike(params, best, {weight_name, threshold_name})
        labels = _labels(search, [params[i][weight_name] for i in rows])
        weights = [_in_short(params[i][weight_name], labels) for i in rows]
        thresholds = [params[i][threshold_name] for i in rows]
        names, columns = list(dict.fromkeys(weights)), sorted(set(thresholds))
        cells = [
            (names.index(weight), columns.index(threshold))
            for weight, threshold in zip(weights, thresholds, strict=True)
        ]
        scores = np.full((len(names), len(columns)), np.nan)
        for i, cell in zip(rows, cells, strict=True):
            scores[cell] = means[i]
        if np.isnan(scores).all():
            raise ValueError(
                f"There is nothing to draw: the {score_name} is NaN in every setting. "
                "Search with error_score='raise' to see why."
            )
        told = "" if labels is None else f"\n({':'.join(map(str, labels))})"
        return cls(
            scores,
            names,
            columns,
            chosen=dict(zip(rows, cells, strict=True)).get(best),
            score_name=score_name,
            weights_name=f"class weight{told}",
        ).plot(
            ax,
            values_format=values_format,
            im_kwargs=im_kwargs,
            text_kwargs=text_kwargs,
        )


def _means(search, metric):
    """Mean scores of the settings, and what they are."""
    start = "mean_test_"
    found = [key.removeprefix(start) for key in search.cv_results_ if key.startswith(start)]
    if found == ["score"] and metric in (None, "score", search.scoring):
        single = search.scoring if isinstance(search.scoring, str) else "score"
        return search.cv_results_[f"{start}score"], f"mean {single}"
    metric = "recall" if metric is None else metric
    if metric not in found:
        raise ValueError(
            f"The search has no score {metric!r}: it has {', '.join(found)}. Pass one of these as "
            "metric, or search with scoring=SCORERS from skpneumo.metrics."
        )
    return search.cv_results_[f"{start}{metric}"], f"mean {metric.replace('_', ' ')}"


def _parameter(params, ending):
    """Name of the parameter that is called so, of the estimator or of one inside."""
    names = list(dict.fromkeys(name for setting in params for name in setting))
    found = [name for name in names if name.split("__")[-1] == ending]
    if len(found) != 1:
        raise ValueError(
            f"One parameter whose name ends in {ending!r} is wanted, but the search varies "
            f"{', '.join(names)}."
        )
    return found[0]


def _alike(params, best, own):
    """Numbers of the settings that differ from the best in no other parameter."""
    others = [{k: repr(v) for k, v in setting.items() if k not in own} for setting in params]
    if best is None and any(other != others[0] for other in others):
        names = dict.fromkeys(name for other in others for name in other)
        raise ValueError(
            f"The search varies {', '.join(names)} too and has chosen no setting, so that its "
            "values of them cannot be taken. Search with refit."
        )
    wanted = others[0] if best is None else others[best]
    return [
        i
        for i, (setting, other) in enumerate(zip(params, others, strict=True))
        if other == wanted and own <= set(setting)
    ]


def _labels(search, weights):
    """Both labels in order, as the search knows them or the class weights name them; or None."""
    labels = getattr(search, "classes_", None)
    if labels is None:
        labels = sorted({label for w in weights if isinstance(w, dict) for label in w})
    return labels if len(labels) == 2 else None


def _in_short(weight, labels):
    if weight is None:
        return "none"
    if not isinstance(weight, dict):
        return str(weight)
    if labels is None:
        return ", ".join(f"{label}:{value:g}" for label, value in weight.items())
    return ":".join(f"{weight.get(label, 1):g}" for label in labels)


def _is_light(image, score):
    red, green, blue, _ = image.cmap(image.norm(score))
    return 0.299 * red + 0.587 * green + 0.114 * blue > 0.5


def _are_shares(scores):
    return np.nanmin(scores) >= 0 and np.nanmax(scores) <= 1


def _rotation(texts, n_columns):
    """Upright, unless a row of such texts would be too long."""
    return 90 if n_columns * max(map(len, texts), default=0) > 40 else 0
