"""Importing is cheap, and every public name can be imported."""

import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from importlib.metadata import entry_points, version
from pathlib import Path
from types import ModuleType

import pytest

import skpneumo
from skpneumo.cli import main

HEAVY = {"keras", "matplotlib", "scikeras", "sklearn", "tensorflow"}
LAZY = skpneumo.__all__


def run_python(*arguments):
    """What a fresh interpreter prints, and the modules that it imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, set(re.findall(r"^import time:.*\| +([\w.]+)$", done.stderr, re.M))


def test_importing_and_listing_load_nothing_heavy():
    printed, modules = run_python("-c", "import skpneumo; print(dir(skpneumo))")
    assert "CNNPneumoniaClassifier" in printed
    assert "skpneumo" in modules
    assert not modules & HEAVY


def test_packages_list_their_public_names_only():
    packages = [
        getattr(skpneumo, name)
        for name in skpneumo.__all__
        if isinstance(getattr(skpneumo, name), ModuleType) and name != "exceptions"
    ]
    assert len(packages) > 10
    for package in (skpneumo, *packages):
        assert dir(package) == sorted(package.__all__), package.__name__


def test_versions_name_no_user_and_every_dependency(capsys, monkeypatch):
    monkeypatch.setenv("SKPNEUMO_CACHE", str(Path.home() / "cache"))
    skpneumo.show_versions()
    printed = capsys.readouterr().out
    assert str(Path.home()) not in printed
    for name in ("skpneumo", "scikit-learn", "tensorflow", "pandas", "backend", "precision"):
        assert re.search(rf"^ +{name}.*: .+$", printed, re.M), name
    assert "SKPNEUMO_CACHE" in printed


@pytest.mark.parametrize(
    ("arguments", "says"), [(("--help",), "train"), (("train", "--help"), "synthetic")]
)
def test_help_loads_nothing_heavy(arguments, says):
    printed, modules = run_python("-m", "skpneumo", *arguments)
    assert "Usage: " in printed.replace("\x1b[0m", "")
    assert says in printed
    assert "skpneumo.cli" in modules
    assert not modules & HEAVY


@pytest.fixture(scope="module")
def saved_network(tmp_path_factory):
    """A network saved by Keras after `partial_fit`, with the optimizer of its training."""
    from skpneumo import CNNPneumoniaClassifier
    from skpneumo.datasets import make_xrays

    xrays = make_xrays(20, image_size=(36, 32), random_state=0)
    clf = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=0)
    clf.fit(xrays.images, xrays.target).partial_fit(xrays.images, xrays.target)
    file = tmp_path_factory.mktemp("saved") / "network.keras"
    clf.model_.save(file)
    return file


@pytest.mark.parametrize("imports", ["keras, skpneumo", "skpneumo.networks, keras"])
def test_keras_loads_a_saved_network_after_an_import(saved_network, imports):
    code = f"import {imports}; print(type(keras.models.load_model({str(saved_network)!r})))"
    printed, _ = run_python("-c", code)
    assert "Functional" in printed


def test_the_error_of_keras_names_the_import(saved_network):
    code = f"import skpneumo, keras; keras.models.load_model({str(saved_network)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Could not locate class" in done.stderr
    assert "'module': 'skpneumo.networks'" in done.stderr


def test_the_command_is_installed():
    (command,) = entry_points(group="console_scripts", name="skpneumo")
    assert command.load() is main


@pytest.mark.parametrize("name", LAZY)
def test_a_name_is_imported_when_it_is_first_used(name, monkeypatch):
    monkeypatch.delattr(skpneumo, name, raising=False)
    value = getattr(skpneumo, name)
    if isinstance(value, ModuleType):
        assert value is import_module(f"skpneumo.{name}")
    else:
        assert getattr(import_module(value.__module__), name) is value


def test_a_star_gives_every_name():
    names = {}
    exec("from skpneumo import *", names)
    assert {name: names[name] for name in LAZY} == {name: getattr(skpneumo, name) for name in LAZY}


def test_every_public_package_is_a_public_name():
    found = {module.name for module in pkgutil.iter_modules(skpneumo.__path__) if module.ispkg}
    assert {name for name in found if name[0] != "_"} - {"cli"} <= set(LAZY)


def test_the_api_reference_lists_every_public_name():
    listed = re.findall(r"\w+", Path(__file__).parents[1].joinpath("docs", "api.rst").read_text())
    public = [(name, getattr(skpneumo, name)) for name in LAZY]
    names = [name for name, value in public if not isinstance(value, ModuleType)]
    for _, value in public:
        names += getattr(value, "__all__", []) if isinstance(value, ModuleType) else []
    assert set(names) <= set(listed)


def test_dir_lists_every_public_name():
    assert set(skpneumo.__all__) <= set(dir(skpneumo))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="XRayLoder"):
        skpneumo.XRayLoder  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'XRayLoder'"):
        exec("from skpneumo import XRayLoder")


def test_the_version_is_the_installed_one():
    assert skpneumo.__version__ == version("skpneumo")
