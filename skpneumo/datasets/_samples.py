"""The X-rays that come with the package."""

from pathlib import Path

from skpneumo.datasets._folder import load_xray_folder

SAMPLES = Path(__file__).parent / "samples"


def load_sample_xrays():
    """List the twelve chest X-rays that come with the package.

    They are for first steps, examples and tests of a setup without a collection at hand: six
    patients without pneumonia, three with bacterial and three with viral pneumonia, all of them
    children one to five years old. Each image is a grey JPEG file of 512 columns and 336 to 431
    rows, from the training split of the collection of Kermany et al. [1]_, licensed CC BY 4.0.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        The fields of :func:`~skpneumo.datasets.load_xray_folder`, which it can stand in for:
        arrays of shape (12,), sorted by class and file name, among them

        paths : ndarray of str
            The absolute path of each image.
        target : ndarray of str
            "NORMAL" or "PNEUMONIA".
        groups : ndarray of str
            The patient of each image, for cross-validation: twelve different ones.
        subtype : ndarray of str
            "bacteria" or "virus"; "" for normal images.
        split : ndarray of str
            "train" everywhere.

        And:

        DESCR : str
            Source, licence and changes, to be given wherever the images are shown.

    See Also
    --------
    skpneumo.datasets.load_xray_folder : A collection of your own.
    skpneumo.datasets.make_xrays : As many synthetic X-rays as wanted, of any size.
    skpneumo.datasets.fetch_kermany : The collection that these are from.

    Notes
    -----
    The networks of :func:`~skpneumo.load_pretrained` were trained on these images: that their
    predictions here are right is no evidence that they are right on other patients. Twelve images
    are too few to train or evaluate anything.

    References
    ----------
    .. [1] Kermany, Zhang & Goldbaum, "Labeled Optical Coherence Tomography (OCT) and Chest X-Ray
       Images for Classification", Mendeley Data, 2018, doi:10.17632/rscbjbr9sj.2.

    Examples
    --------
    >>> from skpneumo.datasets import load_sample_xrays
    >>> from skpneumo.images import read_xray
    >>> data = load_sample_xrays()
    >>> data.paths.shape
    (12,)
    >>> data.target[0], data.target[-1], data.subtype[-1]
    (np.str_('NORMAL'), np.str_('PNEUMONIA'), np.str_('virus'))
    >>> read_xray(data.paths[0]).shape
    (414, 512)
    """
    data = load_xray_folder(SAMPLES)
    data.DESCR = (SAMPLES / "ATTRIBUTION.md").read_text("utf-8")
    return data
