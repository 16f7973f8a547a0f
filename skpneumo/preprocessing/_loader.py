"""File paths as input of a pipeline."""

from __future__ import annotations

from typing import Any, Self

from skpneumo._utils.typing import XRays
from skpneumo.images import check_xrays
from skpneumo.preprocessing._base import XRayTransformer


class XRayLoader(XRayTransformer):
    """Turn file paths into X-rays that are decoded when they are needed.

    The first step of a pipeline that takes paths. Nothing is read here: the result is an
    `XRaySequence`, which cross-validation slices, later steps resize and augment lazily, and the
    classifier decodes batch by batch. Images that are in memory already pass through, so the
    same pipeline takes paths and arrays.

    See Also
    --------
    XRayResizer : Bring the images to one size; a sequence then decodes at reduced scale.
    skpneumo.datasets.load_xray_folder : Find the files and their labels.
    skpneumo.images.XRaySequence : The result.

    Notes
    -----
    The transformer is stateless: it need not be fitted. A path that does not exist, or a file
    that is not an image, raises `ImageReadError` when the image is decoded.

    Examples
    --------
    >>> from skpneumo.preprocessing import XRayLoader
    >>> XRayLoader().fit_transform(["a.jpeg", "b.jpeg", "c.png"])
    XRaySequence(3 images, size=None)

    Images in memory come out as ``uint8``:

    >>> from skpneumo.datasets import make_xrays
    >>> images = make_xrays(n_samples=4, image_size=(40, 36), random_state=0).images
    >>> XRayLoader().fit_transform(images / 255).shape
    (4, 40, 36)
    """

    _parameter_constraints: dict = {}

    def fit(self, X: XRays, y: Any = None) -> Self:
        """Check ``X``; nothing is learnt.

        Parameters
        ----------
        X : array-like of str or path, XRaySequence or array-like of shape (n, H, W)
            Paths of files, or images. The images of a list may differ in size.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        XRayLoader
            The transformer itself.
        """
        check_xrays(X, same_size=False)
        return self

    def transform(self, X: XRays) -> Any:
        """Make a sequence of paths; pass images through.

        Parameters
        ----------
        X : array-like of str or path, XRaySequence or array-like of shape (n, H, W)
            Paths of files, or images. The images of a list may differ in size.

        Returns
        -------
        XRaySequence or ndarray of shape (n, H, W), dtype uint8
            A sequence for paths and sequences, an array for images; a list of arrays if their
            sizes differ.
        """
        return check_xrays(X, same_size=False)
