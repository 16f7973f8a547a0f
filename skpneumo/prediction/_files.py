"""What is known of files besides their prediction: patients, and outlier scores."""

import os

from skpneumo._utils.filenames import parse_filename
from skpneumo._utils.unwrap import get_transformers, unwrap
from skpneumo.images import read_records
from skpneumo.preprocessing import XRayOutlierDetector


def identify_patients(files):
    """Identify the patient of each file: by its header, else its name, else the file itself.

    Parameters
    ----------
    files : list of str
        X-rays.

    Returns
    -------
    list of str
        To be compared, and never shown or kept.
    """
    records = read_records(files, "all")
    return [get_patient(file, record.identity) for file, record in zip(files, records, strict=True)]


def get_patient(file, identity):
    """Return the patient of a file.

    Parameters
    ----------
    file : str
        An X-ray.
    identity : Identity
        Of its header.

    Returns
    -------
    str
        A name of the patient, to be compared and never shown.
    """
    if identity.patient or identity.study:
        return f"dicom {identity.patient or identity.study}"
    name = parse_filename(os.path.basename(file))
    return f"file {file}" if name is None else f"name {name.group}"


def score_outliers(model, files):
    """Score files by the outlier detector of a pipeline.

    Parameters
    ----------
    model : classifier
        Fitted.
    files : list of str
        X-rays that can be read.

    Returns
    -------
    ndarray of shape (n,) or None
        Above 1 an image is out of distribution; None without a detector.
    """
    X = files
    for step in _up_to_detector(model):
        if isinstance(step, XRayOutlierDetector):
            return step.outlier_score(X)
        X = step.transform(X)
    return None


def _up_to_detector(model):
    """Transformers up to the detector; none without one, so that nothing is transformed in vain."""
    transformers = get_transformers(unwrap(model).branches[0])
    for n, step in enumerate(transformers, 1):
        if isinstance(step, XRayOutlierDetector):
            return transformers[:n]
    return []
