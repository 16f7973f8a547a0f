"""The HTML representation of every estimator links to its page."""

import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest
from sklearn.base import BaseEstimator

import skpneumo
from skpneumo._utils.documentation import DocumentationLink, find_page

REFERENCE = Path(__file__).parents[1] / "docs" / "api.rst"
ADDRESS = "https://docs.hospital.example/skpneumo/"


def list_estimators():
    packages = [getattr(skpneumo, name) for name in skpneumo.__all__]
    names = [
        (package, name)
        for package in packages
        if isinstance(package, ModuleType)
        for name in dir(package)
    ]
    objects = [getattr(package, name) for package, name in names]
    return {one for one in objects if inspect.isclass(one) and issubclass(one, BaseEstimator)}


def list_pages():
    """Names of the pages that autosummary makes from the reference."""
    pages, module = set(), ""
    for line in REFERENCE.read_text("utf-8").splitlines():
        if found := re.match(r"\.\. currentmodule:: (.*)", line):
            module = found[1]
        elif found := re.match(r"   ([\w.]+)$", line):
            pages.add(f"{module}.{found[1]}")
    return pages


@pytest.mark.parametrize("kind", sorted(list_estimators(), key=str))
def test_the_link_is_a_page_of_the_reference(kind, monkeypatch):
    monkeypatch.setenv("SKPNEUMO_DOCUMENTATION", ADDRESS)
    page = re.fullmatch(re.escape(ADDRESS) + r"generated/(.*)\.html", find_page(kind))
    assert page[1] in list_pages()
    assert issubclass(kind, DocumentationLink)


@pytest.mark.parametrize(
    "estimator",
    [
        skpneumo.CNNPneumoniaClassifier(),
        skpneumo.XRayOverSampler(),
        skpneumo.OperatingPointClassifierCV(skpneumo.InceptionPneumoniaClassifier()),
    ],
)
def test_html_links(estimator, monkeypatch, estimator_html):
    monkeypatch.setenv("SKPNEUMO_DOCUMENTATION", ADDRESS)
    link = f'href="{find_page(type(estimator))}"'
    assert link in estimator_html(estimator)
    monkeypatch.setenv("SKPNEUMO_DOCUMENTATION", "https://git.example/skpneumo/tree/v1/docs")
    assert 'href="https://git.example/skpneumo/tree/v1/docs"' in estimator_html(estimator)


def test_classes_of_others_are_not_linked(monkeypatch):
    monkeypatch.setenv("SKPNEUMO_DOCUMENTATION", ADDRESS)

    class Own(skpneumo.XRayLoader):
        pass

    assert Own()._get_doc_link() == ""
