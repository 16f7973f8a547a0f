"""X-rays with heatmaps over them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skpneumo._utils.drawing import merge_kwargs
from skpneumo._utils.typing import PathLike, XRays
from skpneumo.images import check_xrays
from skpneumo.inspection._gradcam import GradCAM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

_HEIGHT = 3.2  # of a panel, in inches


class GradCAMDisplay:
    """X-rays with heatmaps of the evidence for pneumonia.

    Create it by `from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    images : sequence of n ndarrays of shape (H, W), dtype uint8
        The X-rays.
    heatmaps : sequence of n ndarrays of shape (H, W)
        Between 0 and 1, of the sizes of the images.
    probability : array-like of shape (n,), default=None
        Probability of pneumonia, for the titles.
    label : str, default="pneumonia"
        Label that the probability is of, for the titles.
    method_name : str, default="heatmap"
        Name of the method, for the captions: ``method_name`` of `GradCAM`.

    Attributes
    ----------
    axes_ : ndarray of n matplotlib Axes
        The panels.
    ax_ : matplotlib Axes
        The first of them.
    heatmaps_ : list of n matplotlib AxesImage
        The heatmaps.
    colorbar_ : matplotlib Colorbar or None
        Colorbar of the heatmaps.
    figure_ : matplotlib Figure
        Figure containing the panels.

    See Also
    --------
    GradCAM : Compute the heatmaps; what they mean.

    Examples
    --------
    >>> from skpneumo import CNNPneumoniaClassifier
    >>> from skpneumo.datasets import make_xrays
    >>> from skpneumo.inspection import GradCAMDisplay
    >>> xrays = make_xrays(60, image_size=(48, 40), random_state=0)
    >>> clf = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=0)
    >>> clf = clf.fit(xrays.images, xrays.target)
    >>> GradCAMDisplay.from_estimator(clf, xrays.images[:3])
    <...>
    """

    axes_: np.ndarray
    ax_: Axes
    heatmaps_: list[AxesImage]
    colorbar_: Colorbar | None
    figure_: Figure

    def __init__(
        self,
        images: Sequence[np.ndarray] | np.ndarray,
        heatmaps: Sequence[np.ndarray] | np.ndarray,
        *,
        probability: ArrayLike | None = None,
        label: str = "pneumonia",
        method_name: str = "heatmap",
    ) -> None:
        self.images = images
        self.heatmaps = heatmaps
        self.probability = probability
        self.label = label
        self.method_name = method_name

    def plot(
        self,
        ax: Axes | Sequence[Axes] | np.ndarray | None = None,
        *,
        cmap: str | Colormap = "inferno",
        alpha: float = 0.7,
        colorbar: bool = True,
        image_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw a panel for each X-ray.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of n Axes, default=None
            Axes to draw into. None creates a new figure with the panels in a row.
        cmap : str or matplotlib Colormap, default="inferno"
            Colormap of the heatmaps.
        alpha : float, default=0.7
            Opacity of a heatmap where it is 1; it falls to 0 with the heatmap.
        colorbar : bool, default=True
            Whether to draw a colorbar.
        image_kwargs : dict, default=None
            Passed to matplotlib's ``imshow`` for the X-rays.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the number of axes is not that of the X-rays.
        """
        from matplotlib.cm import ScalarMappable

        self.axes_ = self._get_axes(ax)
        self.ax_ = self.axes_[0]
        self.figure_ = self.ax_.figure
        self.heatmaps_ = []
        for i, panel in enumerate(self.axes_):
            heatmap = self._draw_panel(panel, i, cmap, alpha, image_kwargs)
            self.heatmaps_.append(heatmap)
            # The colorbar names the method otherwise.
            panel.set_title(self._title(i, with_method=not colorbar), fontsize=10)
        self.colorbar_ = None
        if colorbar:
            key = ScalarMappable(self.heatmaps_[0].norm, self.heatmaps_[0].cmap)
            label = f"{self.method_name}, relative to its maximum"
            self.colorbar_ = self.figure_.colorbar(key, ax=list(self.axes_), label=label)
        return self

    def _get_axes(self, ax):
        """The axes given, or those of a new figure, one for each X-ray."""
        import matplotlib.pyplot as plt

        n = len(self.images)
        if ax is None:
            ratios = [image.shape[1] / image.shape[0] for image in self.images]
            size = (_HEIGHT * sum(ratios) + 1, _HEIGHT + 0.3)
            _, ax = plt.subplots(1, n, figsize=size, width_ratios=ratios, layout="constrained")
        axes = np.atleast_1d(ax).ravel()
        if len(axes) != n:
            raise ValueError(f"{n} X-rays need {n} axes; got {len(axes)}.")
        return axes

    def _draw_panel(self, panel, i, cmap, alpha, image_kwargs):
        from matplotlib.image import AxesImage

        grey = merge_kwargs({"cmap": "gray", "vmin": 0, "vmax": 255}, image_kwargs, AxesImage)
        heatmap = np.asarray(self.heatmaps[i])
        panel.imshow(self.images[i], **grey)
        panel.set_axis_off()
        return panel.imshow(heatmap, cmap=cmap, vmin=0, vmax=1, alpha=alpha * heatmap)

    def _title(self, i, with_method):
        lines = []
        if self.probability is not None:
            lines.append(f"{self.label}: {self.probability[i]:.3f}")
        if with_method:
            lines.append(self.method_name)
        return "\n".join(lines)

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: PathLike | XRays,
        *,
        method: Literal["integrated", "gradcam"] = "integrated",
        ax: Axes | Sequence[Axes] | np.ndarray | None = None,
        cmap: str | Colormap = "inferno",
        alpha: float = 0.7,
        colorbar: bool = True,
        image_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw heatmaps of a classifier.

        Parameters
        ----------
        estimator : classifier
            Fitted, with a network inside; see `GradCAM`.
        X : path, array-like of shape (H, W), or several X-rays as the estimator accepts them
            One X-ray or a few.
        method : {"integrated", "gradcam"}, default="integrated"
            See `GradCAM`.
        ax : matplotlib Axes or array-like of n Axes, default=None
            Axes to draw into. None creates a new figure with the panels in a row.
        cmap : str or matplotlib Colormap, default="inferno"
            Colormap of the heatmaps.
        alpha : float, default=0.7
            Opacity of a heatmap where it is 1; it falls to 0 with the heatmap.
        colorbar : bool, default=True
            Whether to draw a colorbar.
        image_kwargs : dict, default=None
            Passed to matplotlib's ``imshow`` for the X-rays.

        Returns
        -------
        GradCAMDisplay
        """
        if isinstance(X, (str, PurePath)):
            X = [os.fspath(X)]
        elif np.ndim(X) == 2:
            X = np.asarray(X)[None]
        cam = GradCAM(estimator, method=method)
        display = cls(
            list(check_xrays(X)),
            cam.transform(X),
            probability=estimator.predict_proba(X)[:, 1],
            label=str(estimator.classes_[1]),
            method_name=cam.method_name,
        )
        return display.plot(
            ax, cmap=cmap, alpha=alpha, colorbar=colorbar, image_kwargs=image_kwargs
        )
