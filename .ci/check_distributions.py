"""Check that wheel and sdist hold what they must: ``python .ci/check_distributions.py dist/*``."""

import sys
import tarfile
import zipfile
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Each kind of file that is no Python module, of which a tool may forget to include some.
KINDS = (
    "skpneumo/py.typed",
    "skpneumo/__init__.pyi",
    "skpneumo/*.css",
    "skpneumo/*.html.jinja",
    "skpneumo/*.toml",
    "skpneumo/persistence/pretrained/*.skpneumo",
    "skpneumo/datasets/samples/train/*/*.jpeg",
    "skpneumo/datasets/samples/ATTRIBUTION.md",
)
ONLY_IN_SDIST = ("tests", "docs", "examples")
TOP_OF_SDIST = (
    "CHANGELOG.md",
    "CITATION.cff",
    "LICENSE",
    "PKG-INFO",
    "README.md",
    "hatch_build.py",
    "pyproject.toml",
)
# PyPI takes no larger file.
MAX_BYTES = 100_000_000


def list_folder(root, folder):
    """Names of the files in a folder of the checkout, from its root on."""
    files = (path for path in Path(root, folder).rglob("*") if path.is_file())
    return {file.relative_to(root).as_posix() for file in files if "__pycache__" not in file.parts}


def list_distribution(file):
    """Names of the files in a wheel or an sdist, from the root of the checkout on."""
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as archive:
            return set(archive.namelist())
    with tarfile.open(file) as archive:
        names = (member.name for member in archive if member.isfile())
        return {name.split("/", 1)[1] for name in names}


def find_problems(file, root=ROOT):
    """Describe what is wrong with a wheel or an sdist.

    Parameters
    ----------
    file : Path
        The wheel or sdist.
    root : Path, default=ROOT
        The checkout that it was built from.

    Returns
    -------
    list of str
    """
    names, expected = list_distribution(file), list_folder(root, "skpneumo")
    if file.suffix != ".whl":
        # Built documentation lies in docs too, and is ignored by git.
        built = ("docs/_build/", "docs/auto_examples/", "docs/generated/", "docs/sg_execution")
        for folder in ONLY_IN_SDIST:
            expected |= {n for n in list_folder(root, folder) if not n.startswith(built)}
        expected |= set(TOP_OF_SDIST)
    extra = {name for name in names - expected if ".dist-info/" not in name} - {".gitignore"}
    problems = [f"{name} is missing" for name in sorted(expected - names)]
    problems += [f"{name} does not belong there" for name in sorted(extra)]
    problems += [
        f"there is no {kind}" for kind in KINDS if not any(fnmatch(name, kind) for name in names)
    ]
    if (size := file.stat().st_size) > MAX_BYTES:
        problems.append(f"{size:,} bytes are more than the {MAX_BYTES:,} that PyPI takes")
    return problems


def main(files):
    """Print the problems of each file; return whether there are any."""
    found = [f"{file}: {problem}" for file in files for problem in find_problems(Path(file))]
    print(*found or [f"{len(files)} file(s) hold what they must"], sep="\n")
    return bool(found) or not files


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
