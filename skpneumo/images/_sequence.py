"""An array-like of images that are not decoded yet."""

import warnings
from contextlib import suppress
from itertools import chain

import numpy as np

from skpneumo._utils.parallel import map_chunks
from skpneumo._utils.paths import check_paths
from skpneumo.exceptions import ImageReadError
from skpneumo.images._augment import check_augmentation
from skpneumo.images._files import decoding_identity, read_files, thread_map
from skpneumo.images._resize import Resizing, check_aspect, check_image_size, resize_xrays

_DECODED_AT_ONCE = 256


class XRaySequence:
    """X-ray files as one array-like, decoded when they are needed.

    scikit-learn slices, splits and pickles it like a 1-D array, and nothing is decoded on the
    way; `numpy.asarray` decodes, in threads.

    Parameters
    ----------
    paths : array-like of str or path, shape (n,)
        The files.
    size : tuple of (int, int), default=None
        Rows and columns that every image is resized to; None keeps each image's own.
    aspect : {"stretch", "crop", "pad"}, default="stretch"
        How an image of another aspect ratio is brought to ``size``; see `resize_xray`.

    Attributes
    ----------
    paths : ndarray of shape (n,), dtype object
        The files, as str.
    shape : tuple of (int,)
        ``(n,)``: to scikit-learn an image is one item.
    size : tuple of (int, int) or None
        Rows and columns of the images once decoded, if known.

    Examples
    --------
    >>> from skpneumo.images import XRaySequence
    >>> xrays = XRaySequence(["a.jpeg", "b.jpeg", "c.png"], size=(128, 112))
    >>> xrays[1:]
    XRaySequence(2 images, size=(128, 112))
    >>> xrays[[True, False, True]].paths.tolist()
    ['a.jpeg', 'c.png']
    """

    ndim = 1

    def __init__(self, paths, *, size=None, aspect="stretch"):
        paths = check_paths(paths)
        steps = ()
        if size is not None:
            check_aspect(aspect)
            steps = ((Resizing(check_image_size(size), aspect), None),)
        self._set(paths, steps)

    def _set(self, paths, steps):
        self.paths = paths
        # Each step is (operation, seeds): operation(image, seed) is computed on decoding, unless
        # the seed is negative. Seeds are None if the operation needs none.
        self._steps = steps

    @classmethod
    def _from_steps(cls, paths, steps):
        sequence = cls.__new__(cls)
        sequence._set(paths, steps)
        return sequence

    @property
    def shape(self):
        return (len(self.paths),)

    @property
    def size(self):
        sizes = [step.size for step, _ in self._steps if isinstance(step, Resizing)]
        return sizes[-1] if sizes else None

    def resized(self, size, aspect="stretch"):
        """Sequence of the same images, brought to ``size`` when they are decoded.

        Parameters
        ----------
        size : tuple of (int, int)
            Rows and columns.
        aspect : {"stretch", "crop", "pad"}, default="stretch"
            How an image of another aspect ratio is brought to ``size``; see `resize_xray`.

        Returns
        -------
        XRaySequence
        """
        check_aspect(aspect)
        return self._from_steps(
            self.paths, (*self._steps, (Resizing(check_image_size(size), aspect), None))
        )

    def augmented(self, augmentation, seeds):
        """Sequence of the same images, changed when they are decoded.

        Parameters
        ----------
        augmentation : Augmentation
            What to change. Other functions are refused: a key of the cache needs its ``repr``.
        seeds : array-like of int, shape (n,)
            One per image; if it is negative the image stays as it is.

        Returns
        -------
        XRaySequence
        """
        check_augmentation(augmentation)
        seeds = np.asarray(seeds, dtype=np.int64)
        if seeds.shape != self.shape:
            raise ValueError(f"Expected one seed per image, {self.shape}; got shape {seeds.shape}.")
        return self._from_steps(self.paths, (*self._steps, (augmentation, seeds)))

    def fingerprints(self):
        """Identify the image that each item decodes to, without decoding it.

        Returns
        -------
        list of tuple
            File identity (path, size in bytes, times of change), the version of decoding, and the
            steps with their seeds: equal for two items only if the images are equal.

        Raises
        ------
        ImageReadError
            If a file is missing.
        """
        prints = [decoding_identity(path) for path in self.paths]
        for step, seeds in self._steps:
            text = repr(step)
            prints = [
                (*item, text, None if seeds is None else int(seeds[i]))
                for i, item in enumerate(prints)
            ]
        return prints

    def check(self, on_error="raise", *, n_jobs=None):
        """Decode every file, in threads, to find those that cannot be read.

        With a ``size`` the images are in the cache of the machine afterwards.

        Parameters
        ----------
        on_error : {"raise", "skip"}, default="raise"
            Stop with the list of all unreadable files, or only warn of them.
        n_jobs : int, default=None
            Number of workers of joblib, by default 1 with several threads. It pays on a cluster
            (``joblib.parallel_config("dask")``), whose workers must see the files.

        Returns
        -------
        dict of str to str
            The unreadable files, and why; empty if all can be read. Leave their rows out of
            every array alike: ``readable = ~np.isin(xrays.paths, list(unreadable))``.

        Raises
        ------
        ImageReadError
            With ``on_error="raise"``, if a file cannot be read. The message names them all.

        Warns
        -----
        UserWarning
            With ``on_error="skip"``, of the same.
        """
        if on_error not in ("raise", "skip"):
            raise ValueError(f"on_error must be 'raise' or 'skip', got {on_error!r}.")
        unreadable = self.find_unreadable(n_jobs=n_jobs)
        causes = {path: str(error) for path, error in unreadable.items()}
        if causes:
            text = f"{len(causes):,} of {len(self):,} files cannot be read:"
            text = "\n".join([text, *(f"  {cause}" for cause in causes.values())])
            if on_error == "raise":
                raise ImageReadError(text)
            warnings.warn(text, UserWarning, stacklevel=2)
        return causes

    def find_unreadable(self, *, n_jobs=None):
        """Decode every file, in threads, and return the errors.

        Parameters
        ----------
        n_jobs : int, default=None
            Number of workers of joblib, as for `check`.

        Returns
        -------
        dict of str to ImageReadError
            By path: a :class:`~skpneumo.exceptions.NoXRayError` for sound files without an X-ray.
            Empty if all files can be read.

        See Also
        --------
        check : Stop with, or warn of, the same.
        """
        parts = map_chunks(_find_errors, self, n_jobs=n_jobs, chunk_size=_DECODED_AT_ONCE)
        return dict(chain.from_iterable(parts))

    def _read_error(self, row):
        """The error of a row's file, or None."""
        try:
            self._decode([row])
        except ImageReadError as error:
            # Without its traceback, whose frames hold what was read of the file.
            return type(error)(str(error))
        return None

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, key):
        # scikit-learn indexes array-likes as ``X[rows, ...]``.
        if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
            key = key[0]
        if np.ndim(key) == 0 and isinstance(np.asarray(key)[()], (int, np.integer)):
            # Arrays from the store are read-only.
            return self._decode([int(key)])[0].copy()
        if isinstance(key, list):
            # An empty list would become an array of floats, which is no index.
            key = np.asarray(key, dtype=None if key else int)
        paths = self.paths[key]
        if paths.ndim != 1:
            raise IndexError(f"XRaySequence has one dimension; cannot be indexed with {key!r}.")
        return self._from_steps(
            paths, tuple((step, s if s is None else s[key]) for step, s in self._steps)
        )

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("Images are decoded into a new array; copy=False is not possible.")
        images = self._decode_all()
        return images if dtype is None else images.astype(dtype)

    def __repr__(self):
        return f"XRaySequence({len(self)} images, size={self.size})"

    def _decode(self, rows):
        steps = self._steps
        resizing = None
        if steps and isinstance(steps[0][0], Resizing):
            (resizing, _), *steps = steps
        images = read_files([self.paths[row] for row in rows], resizing)

        def change(pair):
            image, row = pair
            for step, seeds in steps:
                if seeds is None or seeds[row] >= 0:
                    image = step(image, None if seeds is None else seeds[row])
            return image

        pairs = list(zip(images, rows, strict=True))
        return thread_map(change, pairs) if steps else images

    def _decode_all(self):
        images = np.empty((0, *(self.size or (0, 0))), dtype=np.uint8)
        for start in range(0, len(self), _DECODED_AT_ONCE):
            part = self._decode(range(start, min(start + _DECODED_AT_ONCE, len(self))))
            if start == 0:
                images = np.empty((len(self), *part[0].shape), dtype=np.uint8)
            for i, image in enumerate(part, start):
                if image.shape != images.shape[1:]:
                    raise ValueError(
                        f"Images of different sizes cannot be one array: {self.paths[0]} has "
                        f"{images.shape[1:]}, {self.paths[i]} has {image.shape}. Bring them to "
                        "one size with XRayResizer or the classifier's image_size."
                    )
                images[i] = image
        return images


def _find_errors(sequence):
    """Paths of the files of a sequence that cannot be read, each with its error."""
    rows = range(len(sequence))
    # One by one is slower; but without a size so many images at once may not fit in memory.
    if sequence.size is not None:
        with suppress(ImageReadError):
            sequence._decode(rows)
            return []
    errors = thread_map(sequence._read_error, rows)
    return [pair for pair in zip(sequence.paths, errors, strict=True) if pair[1] is not None]


def resize_to(X, size, aspect="stretch"):
    """Resize X-rays of any kind; those of a sequence are not decoded yet.

    Parameters
    ----------
    X : ndarray of shape (n, H, W), dtype uint8, list of such of shape (H, W), or XRaySequence
        As `check_xrays` returns them.
    size : tuple of (int, int)
        Rows and columns.
    aspect : {"stretch", "pad", "crop"}, default="stretch"
        See `resize_xray`.

    Returns
    -------
    ndarray of shape (n, rows, columns), dtype uint8, or XRaySequence
    """
    if not isinstance(X, XRaySequence):
        return resize_xrays(X, size, aspect)
    return X if X.size == check_image_size(size) else X.resized(size, aspect)
