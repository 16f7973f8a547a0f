"""X-rays of one size."""

from __future__ import annotations

from typing import Any, Self

from sklearn.utils._param_validation import StrOptions

from skpneumo._utils.typing import Aspect, Size, XRays
from skpneumo.images import ASPECTS, check_image_size, check_xrays, resize_to
from skpneumo.preprocessing._base import XRayTransformer


class XRayResizer(XRayTransformer):
    """Resize X-rays to one size.

    Parameters
    ----------
    size : tuple of (int, int), default=(224, 224)
        Rows and columns.
    aspect : {"stretch", "crop", "pad"}, default="stretch"
        How to fit an image of another aspect ratio: "stretch" distorts it, "crop"
        keeps the largest centred part, "pad" keeps all of it and fills up with black.

    See Also
    --------
    XRayLoader : Make a sequence of file paths.
    skpneumo.images.resize_xray : The function for one image.

    Notes
    -----
    Interpolation is bilinear, antialiased if the image becomes smaller. The transformer is
    stateless: it need not be fitted.

    A sequence stays lazy, and its JPEG files are decoded at reduced scale, which takes about
    half the time.

    In the public dataset the aspect ratio differs between the classes.
    "stretch" leaves the ratio visible as a distortion and "pad" as black bars: a network can
    learn either instead of pneumonia. "crop" hides it, at the price of the margins.

    Examples
    --------
    >>> from skpneumo.datasets import make_xrays
    >>> from skpneumo.preprocessing import XRayResizer
    >>> images = make_xrays(n_samples=4, image_size=(60, 50), random_state=0).images
    >>> XRayResizer((32, 28), aspect="crop").fit_transform(images).shape
    (4, 32, 28)

    Images of different sizes come as a list, of arrays or of Pillow images:

    >>> XRayResizer((32, 28)).fit_transform([images[0], images[1, :40]]).shape
    (2, 32, 28)

    Paths and sequences are not decoded:

    >>> XRayResizer((128, 112)).fit_transform(["a.jpeg", "b.png"])
    XRaySequence(2 images, size=(128, 112))
    """

    _parameter_constraints: dict = {
        "size": "no_validation",  # by check_image_size
        "aspect": [StrOptions(set(ASPECTS))],
    }

    def __init__(self, size: Size = (224, 224), *, aspect: Aspect = "stretch") -> None:
        self.size = size
        self.aspect = aspect

    def fit(self, X: XRays, y: Any = None) -> Self:
        """Check the parameters and ``X``; nothing is learnt.

        Parameters
        ----------
        X : array-like of shape (n, H, W), XRaySequence or array-like of str or path
            Images, or paths of files. The images of a list may differ in size.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        XRayResizer
            The transformer itself.
        """
        self._validate_params()
        check_image_size(self.size)
        check_xrays(X, same_size=False)
        return self

    def transform(self, X: XRays) -> Any:
        """Resize.

        Parameters
        ----------
        X : array-like of shape (n, H, W), XRaySequence or array-like of str or path
            Images, or paths of files. The images of a list may differ in size.

        Returns
        -------
        ndarray of shape (n, rows, columns), dtype uint8, or XRaySequence
            An array for images, a sequence for sequences and paths.
        """
        return resize_to(check_xrays(X, same_size=False), self.size, self.aspect)
