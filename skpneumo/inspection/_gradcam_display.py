"""X-rays with the heatmaps of a network over them."""

import os
from pathlib import PurePath

import numpy as np

from skpneumo.images import check_xrays
from skpneumo.inspection._drawing import merged
from skpneumo.inspection._gradcam import GradCAM

_HEIGHT = 3.2  # of a panel, in inches


class GradCAMDisplay:
    """X-rays, and over them where a network saw pneumonia.

    Create it by `from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    images : sequence of n ndarrays of shape (H, W), dtype uint8
        The X-rays.
    heatmaps : sequence of n ndarrays of shape (H, W)
        Between 0 and 1, of the sizes of the images.
    probability : array-like of shape (n,), default=None
        Of pneumonia, for the titles.
    label : str, default="pneumonia"
        What it is the probability of, for the titles.
    method_name : str, default="heatmap"
        What the heatmaps were made by, for the captions: ``method_name`` of `GradCAM`.

    Attributes
    ----------
    axes_ : ndarray of n matplotlib Axes
        The panels.
    ax_ : matplotlib Axes
        The first of them.
    heatmaps_ : list of n matplotlib AxesImage
        The heatmaps.
    colorbar_ : matplotlib Colorbar or None
        The key to their colours.
    figure_ : matplotlib Figure
        What holds the panels.

    See Also
    --------
    GradCAM : The heatmaps, and what they mean.

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

    def __init__(
        self, images, heatmaps, *, probability=None, label="pneumonia", method_name="heatmap"
    ):
        self.images = images
        self.heatmaps = heatmaps
        self.probability = probability
        self.label = label
        self.method_name = method_name

    def plot(self, ax=None, *, cmap="inferno", alpha=0.7, colorbar=True, image_kwargs=None):
        """Draw a panel for each X-ray.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of n Axes, default=None
            Where to. None makes a new figure with the panels in a row.
        cmap : str or matplotlib Colormap, default="inferno"
            Colours of the heatmaps.
        alpha : float, default=0.7
            How far a heatmap covers the X-ray where it is 1. Where it is 0 nothing is covered.
        colorbar : bool, default=True
            Whether to draw a key to the colours.
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
        import matplotlib.pyplot as plt
        from matplotlib.cm import ScalarMappable
        from matplotlib.image import AxesImage

        n = len(self.images)
        if ax is None:
            ratios = [image.shape[1] / image.shape[0] for image in self.images]
            size = (_HEIGHT * sum(ratios) + 1, _HEIGHT + 0.3)
            _, ax = plt.subplots(1, n, figsize=size, width_ratios=ratios, layout="constrained")
        self.axes_ = np.atleast_1d(ax).ravel()
        if len(self.axes_) != n:
            raise ValueError(f"{n} X-rays need {n} axes; got {len(self.axes_)}.")
        self.ax_ = self.axes_[0]
        self.figure_ = self.ax_.figure
        grey = merged({"cmap": "gray", "vmin": 0, "vmax": 255}, image_kwargs, AxesImage)
        self.heatmaps_ = []
        for i, panel in enumerate(self.axes_):
            heatmap = np.asarray(self.heatmaps[i])
            panel.imshow(self.images[i], **grey)
            self.heatmaps_.append(
                panel.imshow(heatmap, cmap=cmap, vmin=0, vmax=1, alpha=alpha * heatmap)
            )
            panel.set_axis_off()
            lines = []
            if self.probability is not None:
                lines.append(f"{self.label}: {self.probability[i]:.3f}")
            if not colorbar:  # which names the method otherwise
                lines.append(self.method_name)
            panel.set_title("\n".join(lines), fontsize=10)
        self.colorbar_ = None
        if colorbar:
            key = ScalarMappable(self.heatmaps_[0].norm, self.heatmaps_[0].cmap)
            label = f"{self.method_name}, relative to its maximum"
            self.colorbar_ = self.figure_.colorbar(key, ax=list(self.axes_), label=label)
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        method="integrated",
        ax=None,
        cmap="inferno",
        alpha=0.7,
        colorbar=True,
        image_kwargs=None,
    ):
        """Draw where a classifier saw pneumonia.

        Parameters
        ----------
        estimator : classifier
            Fitted, with a network inside; see `GradCAM`.
        X : path, array-like of shape (H, W), or several X-rays as the estimator takes them
            One X-ray or a few.
        method : {"integrated", "gradcam"}, default="integrated"
            See `GradCAM`.
        ax : matplotlib Axes or array-like of n Axes, default=None
            Where to. None makes a new figure with the panels in a row.
        cmap : str or matplotlib Colormap, default="inferno"
            Colours of the heatmaps.
        alpha : float, default=0.7
            How far a heatmap covers the X-ray where it is 1. Where it is 0 nothing is covered.
        colorbar : bool, default=True
            Whether to draw a key to the colours.
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
