"""Class weights and thresholds of a fitted search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skpneumo._utils.drawing import get_axes, merge_kwargs
from skpneumo._utils.formatting import percent
from skpneumo._utils.typing import Size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from matplotlib.patches import Rectangle


class ThresholdGridDisplay:
    """Mean score of each class weight and threshold of a search.

    Create it by `from_search`. All parameters are stored as attributes.

    Parameters
    ----------
    scores : ndarray of shape (n_class_weights, n_thresholds)
        Mean scores; NaN if there is no such candidate.
    class_weights : list of str
        Labels of the rows.
    thresholds : list of float
        Thresholds of the columns.
    selected : tuple of (int, int), default=None
        Row and column to frame. None draws no frame.
    score_name : str, default="score"
        Name of the scores.
    weights_name : str, default="class weight"
        Name of the rows.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The cells.
    text_ : ndarray of shape (n_class_weights, n_thresholds), dtype object
        The values in the cells, matplotlib Text; None if there is none.
    frame_ : matplotlib Rectangle or None
        Frame around the selected candidate.
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure containing the axes.

    See Also
    --------
    skpneumo.model_selection.HighestSpecificity : Select a candidate.
    skpneumo.model_selection.choose_candidate : Select a candidate and explain why.

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

    im_: AxesImage
    text_: np.ndarray
    frame_: Rectangle | None
    ax_: Axes
    figure_: Figure

    def __init__(
        self,
        scores: np.ndarray,
        class_weights: Sequence[str],
        thresholds: Sequence[float],
        *,
        selected: Size | None = None,
        score_name: str = "score",
        weights_name: str = "class weight",
    ) -> None:
        self.scores = scores
        self.class_weights = class_weights
        self.thresholds = thresholds
        self.selected = selected
        self.score_name = score_name
        self.weights_name = weights_name

    def plot(
        self,
        ax: Axes | None = None,
        *,
        values_format: str | None = None,
        im_kwargs: dict[str, Any] | None = None,
        text_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the cells.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw into. None creates a new figure.
        values_format : str, default=None
            Format of the values in the cells, such as ".3f". None shows scores from 0 to 1 in whole
            per cent, rounded down, and others with two digits.
        im_kwargs : dict, default=None
            Passed to matplotlib's ``imshow``, such as ``{"vmin": 0, "cmap": "viridis"}``.
        text_kwargs : dict, default=None
            Passed to matplotlib's ``text`` for each value.

        Returns
        -------
        self
        """
        from matplotlib.image import AxesImage

        self.ax_ = get_axes(ax)
        self.figure_ = self.ax_.figure
        style = {"cmap": "cividis", "aspect": "auto", "interpolation": "nearest"}
        self.im_ = self.ax_.imshow(self.scores, **merge_kwargs(style, im_kwargs, AxesImage))
        as_percent = values_format is None and _are_proportions(self.scores)
        self.text_ = self._draw_values(values_format, as_percent, text_kwargs)
        self.frame_ = None if self.selected is None else self._draw_frame()
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

    def _draw_values(self, values_format, as_percent, text_kwargs):
        """Write each score into its cell."""
        from matplotlib.text import Text

        values = {
            cell: percent(score, digits=0).rstrip("%")
            if as_percent
            else format(score, values_format or ".2g")
            for cell, score in np.ndenumerate(self.scores)
            if not np.isnan(score)
        }
        rotation = _rotation(values.values(), len(self.thresholds))
        texts = np.full(self.scores.shape, None)
        for (row, column), value in values.items():
            style = {
                "horizontalalignment": "center",
                "verticalalignment": "center",
                "fontsize": "small",
                "rotation": rotation,
                "color": "black" if _is_light(self.im_, self.scores[row, column]) else "white",
            }
            style = merge_kwargs(style, text_kwargs, Text)
            texts[row, column] = self.ax_.text(column, row, value, **style)
        return texts

    def _draw_frame(self):
        from matplotlib.patches import Rectangle
        from matplotlib.patheffects import withStroke

        row, column = self.selected
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
        search: BaseEstimator,
        *,
        metric: str | None = None,
        ax: Axes | None = None,
        values_format: str | None = None,
        im_kwargs: dict[str, Any] | None = None,
        text_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the candidates of a search.

        Parameters
        ----------
        search : GridSearchCV
            Fitted, over one parameter whose name ends in ``class_weight`` and one whose name ends
            in ``threshold``. If there are others too, only the candidates that have their values in
            common with the selected candidate are drawn.
        metric : str, default=None
            Name of the score, of a search with several. None means "recall", or the only one.
        ax : matplotlib Axes, default=None
            Axes to draw into. None creates a new figure.
        values_format : str, default=None
            Format of the values in the cells, such as ".3f". None shows scores from 0 to 1 in whole
            per cent, rounded down, and others with two digits.
        im_kwargs : dict, default=None
            Passed to matplotlib's ``imshow``, such as ``{"vmin": 0, "cmap": "viridis"}``.
        text_kwargs : dict, default=None
            Passed to matplotlib's ``text`` for each value.

        Returns
        -------
        ThresholdGridDisplay
            With a frame around the selected candidate, ``best_params_``.

        Raises
        ------
        ValueError
            If the search lacks one of both parameters or the score, or has other parameters and
            has selected no candidate.
        """
        check_is_fitted(search, "cv_results_")
        params = search.cv_results_["params"]
        means, score_name = _means(search, metric)
        weight_name, threshold_name = (
            _parameter(params, ending) for ending in ("class_weight", "threshold")
        )
        best = getattr(search, "best_index_", None)
        rows = _same_otherwise(params, best, {weight_name, threshold_name})
        labels = _labels(search, [params[i][weight_name] for i in rows])
        weights = [_short_label(params[i][weight_name], labels) for i in rows]
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
                f"There is nothing to draw: the {score_name} is NaN for every candidate. "
                "Search with error_score='raise' to see why."
            )
        order = "" if labels is None else f"\n({':'.join(map(str, labels))})"
        return cls(
            scores,
            names,
            columns,
            selected=dict(zip(rows, cells, strict=True)).get(best),
            score_name=score_name,
            weights_name=f"class weight{order}",
        ).plot(
            ax,
            values_format=values_format,
            im_kwargs=im_kwargs,
            text_kwargs=text_kwargs,
        )


def _means(search, metric):
    """Mean scores of the candidates, and their name."""
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
    """Name of the parameter with this ending, of the estimator or of one inside."""
    names = list(dict.fromkeys(name for candidate in params for name in candidate))
    found = [name for name in names if name.split("__")[-1] == ending]
    if len(found) != 1:
        raise ValueError(
            f"The search must vary one parameter whose name ends in {ending!r}, but it varies "
            f"{', '.join(names)}."
        )
    return found[0]


def _same_otherwise(params, best, own):
    """Numbers of the candidates that differ from the best in no other parameter."""
    others = [{k: repr(v) for k, v in candidate.items() if k not in own} for candidate in params]
    if best is None and any(other != others[0] for other in others):
        names = dict.fromkeys(name for other in others for name in other)
        raise ValueError(
            f"The search varies {', '.join(names)} too and has selected no candidate, "
            "whose values of these would be drawn. Search with refit."
        )
    expected = others[0] if best is None else others[best]
    return [
        i
        for i, (candidate, other) in enumerate(zip(params, others, strict=True))
        if other == expected and own <= set(candidate)
    ]


def _labels(search, weights):
    """Both labels in order, of the search or of the class weights; None if there are not two."""
    labels = getattr(search, "classes_", None)
    if labels is None:
        labels = sorted({label for w in weights if isinstance(w, dict) for label in w})
    return labels if len(labels) == 2 else None


def _short_label(weight, labels):
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


def _are_proportions(scores):
    return np.nanmin(scores) >= 0 and np.nanmax(scores) <= 1


def _rotation(texts, n_columns):
    """Degrees by which texts are rotated: 90 if a row of them would be too long."""
    return 90 if n_columns * max(map(len, texts), default=0) > 40 else 0
