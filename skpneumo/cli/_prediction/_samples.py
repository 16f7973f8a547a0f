"""The sample X-rays of the package, for ``skpneumo predict --demo``."""

from skpneumo.datasets import load_sample_xrays


def load_samples():
    """List the sample X-rays.

    Returns
    -------
    dict of str to str
        True label by file.
    """
    samples = load_sample_xrays()
    return dict(zip(map(str, samples.paths), samples.target.tolist(), strict=True))
