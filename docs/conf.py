"""Configuration of Sphinx: ``sphinx-build -W -b html docs docs/_build``."""

import os
import sys
import warnings
from pathlib import Path

import skpneumo

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

from inventories import write_inventories  # noqa: E402
from model_cards import write_model_cards  # noqa: E402

# The gallery runs the examples: no TensorFlow log, no window, no colours for a terminal.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "agg")
warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")

project = "skpneumo"
author = "The skpneumo developers"
copyright = author
version = release = skpneumo.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "auto_examples/*.ipynb", "auto_examples/*.py"]
templates_path = ["_templates"]

# `name` in a docstring is a link where it is documented, and code where it is not.
default_role = "any"
suppress_warnings = ["ref.any", "ref.python"]

autodoc_member_order = "bysource"
# The docstrings state types, in words.
autodoc_typehints = "none"
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "within_subsection_order": "ExampleTitleSortKey",
    "backreferences_dir": "generated/backreferences",
    "doc_module": "skpneumo",
    "capture_repr": (),
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
}

intersphinx_mapping = write_inventories(HERE / "generated" / "inventories")
write_model_cards(HERE / "generated" / "model_cards")
# Prompts are not copied, nor output.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_title = f"skpneumo {version}"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["custom.css"]
pygments_dark_style = "github-dark"


def skip_inherited(app, what, name, member, skip, options):
    """Leave out what classes inherit from scikit-learn and scikeras."""
    function = getattr(member, "fget", member)
    home = getattr(function, "__module__", None) or "skpneumo"
    return True if not home.startswith("skpneumo") else None


def setup(app):
    """Connect the function above."""
    app.connect("autodoc-skip-member", skip_inherited)
