"""A frontal X-ray is brought to the standard orientation: the patient's left is to the right."""

import numpy as np

_AXES = {"L": "LR", "R": "LR", "H": "HF", "F": "HF", "A": "AP", "P": "AP"}
_PLANES = {
    frozenset(("LR", "HF")): "coronal",
    frozenset(("AP", "HF")): "sagittal",
    frozenset(("AP", "LR")): "transverse",
}


def get_plane(orientation):
    """The plane of an image by the directions of its rows and columns; "" if they give none.

    Examples
    --------
    >>> from skpneumo.images._dicom._orientation import get_plane
    >>> get_plane(("LF", "F")), get_plane(("A", "F")), get_plane(("L", "R"))
    ('coronal', 'sagittal', '')
    """
    # The first letter is the main direction; the others state how it deviates.
    return _PLANES.get(frozenset(_AXES[letters[0]] for letters in orientation), "")


def bring_upright(image, orientation, views):
    """Turn and flip a frontal image so that rows run to the patient's left, columns to the feet.

    The field of view's rotation and flip are no part of this: they state what was done to the
    pixels of the detector before they were stored, and the orientation is that of the stored ones.

    Parameters
    ----------
    image : ndarray of shape (H, W)
        As it is stored.
    orientation : tuple of str
        Directions of rows and columns, or () if they are not known.
    views : set of {"PA", "AP", "FRONTAL", "LATERAL", "OBLIQUE"}
        What the header states besides; empty if it states nothing.

    Returns
    -------
    image : ndarray of shape (H, W) or (W, H)
    note : str
        Why it is left as it is, if the header contradicts itself; else "".

    References
    ----------
    DICOM PS3.3, C.7.6.1.1.1 (patient orientation) and C.8.11.4 (field of view).
    """
    if not orientation:
        return image, ""
    plane = get_plane(orientation)
    rows_to, columns_to = (letters[0] for letters in orientation)
    if (rows_to, columns_to) == ("L", "F"):
        return image, ""
    rows_and_columns = f"its orientation of the patient, rows {orientation[0]}, columns "
    rows_and_columns += orientation[1]
    if not plane:
        return image, f"{rows_and_columns}, names one axis twice, and is not applied"
    other = {"coronal": {"LATERAL"}}.get(plane, {"PA", "AP", "FRONTAL"})
    if views & other:
        return image, f"{rows_and_columns}, is not that of its view, and is not applied"
    # An image of this plane is frontal if no view is stated.
    if plane != "coronal" or "OBLIQUE" in views:
        return image, ""
    if rows_to in "HF":
        image, rows_to, columns_to = image.T, columns_to, rows_to
    image = image[:: 1 if columns_to == "F" else -1, :: 1 if rows_to == "L" else -1]
    return np.ascontiguousarray(image), ""
