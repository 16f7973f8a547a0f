"""Where the documentation of an estimator is."""

import os
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata

_VARIABLE = "SKPNEUMO_DOCUMENTATION"
# Packages whose estimators the reference names without their package, as users import them.
_AT_TOP_LEVEL = ("classifiers", "preprocessing")


class DocumentationLink:
    """Mixin of estimators whose HTML representation links to their page of the reference.

    It comes before a class of scikit-learn. The address of the documentation is that which the
    package was published with, or, for a copy of the documentation on a network of one's own, that
    in the environment variable ``SKPNEUMO_DOCUMENTATION``. Without one, nothing is linked.
    """

    _doc_link_module = "skpneumo"
    _doc_link_template = "{page}"

    def _doc_link_url_param_generator(self):
        return {"page": find_page(type(self))}


def find_page(kind):
    """Find the address of the page of an estimator.

    Parameters
    ----------
    kind : type
        Class of the estimator.

    Returns
    -------
    str
        Empty if no address of the documentation is known.
    """
    address = os.environ.get(_VARIABLE) or _read_published_address()
    # A folder of a repository holds the sources of the pages.
    if not address or "/tree/" in address:
        return address
    package = kind.__module__.split(".")[1]
    name = kind.__name__ if package in _AT_TOP_LEVEL else f"{package}.{kind.__name__}"
    return f"{address.rstrip('/')}/generated/skpneumo.{name}.html"


@cache
def _read_published_address():
    try:
        urls = metadata("skpneumo").get_all("Project-URL") or []
    except PackageNotFoundError:  # a checkout that is not installed
        return ""
    return dict(url.split(", ", 1) for url in urls).get("Documentation", "")
