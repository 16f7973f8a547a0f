"""`predict_files`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from skpneumo._utils.parallel import map_chunks
from skpneumo._utils.paths import check_paths
from skpneumo._utils.typing import PathLike
from skpneumo._utils.unwrap import unwrap
from skpneumo.exceptions import ImageReadError
from skpneumo.images import XRaySequence
from skpneumo.prediction._shared_model import share_model
from skpneumo.preprocessing import record_outlier_scores

# Small, so that most of a JPEG is skipped while it is decoded.
_SIZE_OF_CHECK = (24, 24)


class FilePrediction(NamedTuple):
    """The prediction of a model for one file."""

    file: str
    """Path of the file."""
    probability: float | None
    """Probability of the positive class, ``classes_[1]``; None if the file cannot be read."""
    label: object
    """What ``predict`` returns; None if the file cannot be read."""
    outlier_score: float | None
    """Score of the outlier detector of the model, above 1 for an image out of distribution; None
    without a detector."""
    error: ImageReadError | None
    """Why the file cannot be read: a `NoXRayError` if it is sound but holds no X-ray."""


def predict_files(
    model: Any,
    paths: Sequence[PathLike] | ArrayLike,
    *,
    n_jobs: int | None = None,
    chunk_size: int = 256,
) -> Iterator[FilePrediction]:
    """Predict X-ray files in bounded memory, however many, in the workers of joblib.

    Parameters
    ----------
    model : classifier, str or path
        A fitted classifier that takes paths and has ``predict_proba``, or the path of a file of
        `~skpneumo.save_model`. On a cluster the path of a file that all workers can read is the
        better choice: nothing is sent, and workers may be lost.
    paths : array-like of str or path, shape (n,)
        The files. On a cluster all workers must be able to read them.
    n_jobs : int, default=None
        Number of workers, as in scikit-learn: None is 1, unless in a `joblib.parallel_config`
        context, which also chooses the backend, such as ``"dask"``; -1 is one worker for each core.
        Decoding and networks use several threads in one process already; ``OMP_NUM_THREADS`` is
        their number in each worker.
    chunk_size : int, default=256
        Files that a worker predicts at a time.

    Returns
    -------
    iterator of FilePrediction
        One per file, in their order, while the next ones are computed.
        ``pandas.DataFrame(predict_files(...))`` is a table of them.

    Raises
    ------
    ModelFileError
        If ``model`` is a path that leads to no model file.
    NotFittedError
        If ``model`` is not fitted.
    ValueError
        If a path is missing, such as NaN, or ``chunk_size`` is not a positive integer.

    Warns
    -----
    BitDepthWarning, HeaderWarning, LowContrastWarning
        Of `~skpneumo.images.read_xray`. There is no `OutlierWarning`, as scores are returned.

    See Also
    --------
    skpneumo.evaluation.evaluate : Evaluates predictions for images with known labels.
    skpneumo.sites.check_scores : Compares the probabilities with those of the training.

    Notes
    -----
    Probabilities are those of ``model.predict_proba(paths)`` to the last bit, whatever ``n_jobs``,
    the backend and ``chunk_size``, on processors of one kind. They depend neither on the other
    images of a batch nor on the number of threads; only the size of a batch could matter, and it is
    ``batch_size`` of the classifier as soon as there are so many files. Outlier scores may differ
    in the last bits.

    Each worker loads the model once: from the file, or as it receives it, pickled.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from skpneumo import load_pretrained
    >>> from skpneumo.datasets import make_xrays
    >>> from skpneumo.prediction import predict_files
    >>> folder = Path(tempfile.mkdtemp())
    >>> for i, image in enumerate(make_xrays(2, image_size=(112, 96), random_state=0).images):
    ...     Image.fromarray(image).save(folder / f"{i}.png")
    >>> paths = [folder / "0.png", folder / "1.png", folder / "2.png"]
    >>> for row in predict_files(load_pretrained("cnn"), paths):
    ...     print(Path(row.file).name, row.probability is not None, row.error is None)
    0.png True True
    1.png True True
    2.png False False
    """
    if not isinstance(chunk_size, Integral) or isinstance(chunk_size, bool) or chunk_size < 1:
        raise ValueError(f"chunk_size must be an integer of at least 1, got {chunk_size!r}.")
    paths, shared = check_paths(paths), share_model(model)
    results = map_chunks(
        _predict_chunk, paths.tolist(), shared, len(paths), n_jobs=n_jobs, chunk_size=chunk_size
    )
    return chain.from_iterable(results)


def _predict_chunk(files, shared, n_files):
    """Predict files; those that cannot be read are looked for if that fails."""
    model, errors = shared.get(), {}
    # A file that is damaged only where a small copy does not look needs a second search.
    for size in (_SIZE_OF_CHECK, None):
        try:
            return _predict(model, files, errors, n_files)
        except ImageReadError:
            readable = [file for file in files if file not in errors]
            errors |= XRaySequence(readable, size=size).find_unreadable()
    return _predict(model, files, errors, n_files)


def _predict(model, files, errors, n_files):
    readable = [file for file in dict.fromkeys(files) if file not in errors]
    found = {}
    if readable:
        batch = _fill_batch(readable, model, n_files)
        with record_outlier_scores() as recorded:
            probability = model.predict_proba(batch)[:, 1].tolist()
            # Not by the probability: a wrapper may have a threshold on another score.
            labels = np.asarray(model.predict(batch)).tolist()
        scores = next(iter(recorded.values())).tolist() if recorded else [None] * len(batch)
        columns = zip(readable, probability, labels, scores, strict=False)
        found = {row[0]: FilePrediction(*row, None) for row in columns}
    found |= {file: FilePrediction(file, None, None, None, error) for file, error in errors.items()}
    return [found[file] for file in files]


def _fill_batch(files, model, n_files):
    """Repeat files up to the size of a batch, if that is the size that all files have together."""
    sizes = [getattr(one, "batch_size", 1) for one in unwrap(model).classifiers]
    # Others have words for it.
    batch_size = max(size if isinstance(size, Integral) else 1 for size in sizes)
    n = max(len(files), min(batch_size, n_files))
    return [files[i % len(files)] for i in range(n)]
