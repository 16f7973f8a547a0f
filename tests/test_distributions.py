"""Wheel and sdist hold what they must; what PyPI shows works there; versions and dates agree."""

import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

import skpneumo

pytest.importorskip("hatchling", reason="builds the package")
ROOT = Path(__file__).parents[1]
CI = ROOT / ".ci"
if not CI.is_dir():
    pytest.skip("an sdist builds no other one, and has no scripts of CI", allow_module_level=True)
REPOSITORY = "https://git.example/lungs/skpneumo"
DOCUMENTATION = "https://docs.example/skpneumo/"


def load_script(path):
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A wheel and an sdist, as a release builds them."""
    folder = tmp_path_factory.mktemp("dist")
    environment = {"SKPNEUMO_REPOSITORY": f"{REPOSITORY}/", "SKPNEUMO_DOCUMENTATION": DOCUMENTATION}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)],
        check=True,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def metadata(built):
    """What PyPI and pip read."""
    (wheel,) = (file for file in built if file.suffix == ".whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_string(archive.read(name).decode())


def test_distributions_hold_what_they_must(built):
    assert [file.name.endswith((".whl", ".tar.gz")) for file in built] == [True, True]
    find_problems = load_script(CI / "check_distributions.py").find_problems
    assert [problem for file in built for problem in find_problems(file)] == []


def test_missing_and_foreign_files_are_found(built, tmp_path):
    (wheel,) = (file for file in built if file.suffix == ".whl")
    other = tmp_path / wheel.name
    with zipfile.ZipFile(wheel) as archive, zipfile.ZipFile(other, "w") as copy:
        for name in archive.namelist():
            if not name.endswith((".css", "py.typed")):
                copy.writestr(name, b"")
        copy.writestr("tests/conftest.py", b"")
    problems = load_script(CI / "check_distributions.py").find_problems(other)
    assert "skpneumo/py.typed is missing" in problems
    assert "there is no skpneumo/*.css" in problems
    assert "tests/conftest.py does not belong there" in problems


def test_links_and_pictures_work_on_pypi(metadata):
    text = metadata.get_payload()
    links = re.findall(r"\]\(([^)]*)\)", text)
    assert len(links) > 10
    assert all(link.startswith("https://") for link in links)
    tag = f"v{skpneumo.__version__}"
    inside = re.findall(rf"(!?)\[[^\]]*\]\({REPOSITORY}/(blob|raw)/{tag}/([^)#]+)", text)
    assert len(inside) > 8
    for image, kind, path in inside:
        assert kind == ("raw" if image else "blob")
        assert (ROOT / path).is_file(), path
    assert "raw" in {kind for _, kind, _ in inside}


def test_addresses_in_the_metadata(metadata):
    urls = dict(url.split(", ") for url in metadata.get_all("Project-URL"))
    assert set(urls) == {"Homepage", "Documentation", "Source", "Changelog", "Issues"}
    assert urls["Documentation"] == DOCUMENTATION
    assert urls["Homepage"] == urls["Source"] == REPOSITORY
    assert urls["Issues"] == f"{REPOSITORY}/issues"


def test_text_without_a_repository_is_the_readme():
    """So a checkout claims no address."""
    hook = load_script(ROOT / "hatch_build.py").RepositoryLinks(str(ROOT), {})
    table = {"version": "1.2.3"}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SKPNEUMO_REPOSITORY", raising=False)
        hook.update(table)
    assert table["readme"]["text"] == (ROOT / "README.md").read_text("utf-8")
    assert table["urls"] == {}


def test_licences_of_code_and_sample_images(metadata):
    assert metadata["License-Expression"] == "BSD-3-Clause AND CC-BY-4.0"
    assert metadata.get_all("License-File") == [
        "LICENSE",
        "skpneumo/datasets/samples/ATTRIBUTION.md",
    ]


@pytest.fixture(scope="module")
def released():
    """Contents of the files that name version and date, as they are at a release."""
    names = ("pyproject.toml", "skpneumo/__init__.py", "CITATION.cff", "CHANGELOG.md")
    texts = {name: ROOT.joinpath(name).read_text("utf-8") for name in names}
    date = re.search(r"^date-released: (\d{4}-\d\d-\d\d)$", texts["CITATION.cff"], re.M)[1]
    heading = re.compile(rf"^## {re.escape(skpneumo.__version__)} \(.*\)$", re.M)
    texts["CHANGELOG.md"], n_headings = heading.subn(
        f"## {skpneumo.__version__} ({date})", texts["CHANGELOG.md"]
    )
    assert n_headings == 1
    return texts


def test_versions_agree(released):
    find_problems = load_script(CI / "check_release.py").find_problems
    assert find_problems(f"v{skpneumo.__version__}", *released.values()) == []
    assert "the tag is v9.9.9" in find_problems("v9.9.9", *released.values())[0]


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("skpneumo/__init__.py", '__version__ = "[^"]*"'),
        ("CITATION.cff", "(?m)^version: .*"),
        ("CHANGELOG.md", r"\(\d{4}-\d\d-\d\d\)"),
    ],
)
def test_another_version_or_date_is_found(released, name, pattern):
    texts = {**released, name: re.sub(pattern, "version: 0.0.9", released[name], count=1)}
    find_problems = load_script(CI / "check_release.py").find_problems
    (problem,) = find_problems(f"v{skpneumo.__version__}", *texts.values())
    assert name in problem
