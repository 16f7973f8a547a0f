"""Check that tag, package, citation and changes agree: ``python .ci/check_release.py v0.1.0``."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def find_problems(tag, pyproject, module, citation, changes):
    """Describe which of them state another version, or another date, than the rest.

    Parameters
    ----------
    tag : str
        The tag to be released, "v" and a version.
    pyproject, module, citation, changes : str
        Contents of pyproject.toml, skpneumo/__init__.py, CITATION.cff and CHANGELOG.md.

    Returns
    -------
    list of str
    """
    version = tomllib.loads(pyproject)["project"]["version"]
    cited, date = (
        re.search(rf"^{key}: *[\"']?([\d.-]+)", citation, re.M)[1]
        for key in ("version", "date-released")
    )
    problems = []
    if tag != f"v{version}":
        problems.append(f"the tag is {tag}, the version in pyproject.toml {version}")
    if f'__version__ = "{version}"' not in module:
        problems.append(f"__version__ in skpneumo/__init__.py is not {version}")
    if cited != version:
        problems.append(f"the version in CITATION.cff is {cited}, in pyproject.toml {version}")
    if f"## {version} ({date})\n" not in changes:
        problems.append(f"CHANGELOG.md has no heading '## {version} ({date})', as in CITATION.cff")
    return problems


def main(tag):
    """Print the problems; return whether there are any."""
    names = ("pyproject.toml", "skpneumo/__init__.py", "CITATION.cff", "CHANGELOG.md")
    found = find_problems(tag, *(ROOT.joinpath(name).read_text("utf-8") for name in names))
    print(*found or [f"{tag} can be released"], sep="\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
