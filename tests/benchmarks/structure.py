"""The shape of one or more checkouts, as a table: modules, functions, imports, words.

    python tests/benchmarks/structure.py [CHECKOUT ...]

Lines of a function are those of its code, without its docstring. A duplicate is a run of eight
lines, without blank ones, that stands in two places of the package.
"""

import ast
import os
import re
import statistics
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

MAX_FUNCTION_LINES = 40
DUPLICATE_LINES = 8
WORDS = {
    "tell/told": r"\b(tells?|told|telling)\b",
    "share": r"\bshares?\b",
    "ill/healthy": r"\b(ill|healthy)\b",
}
# Runs in the checkout: our frames between `fit`, which counts, and the first step of a training.
FRAMES = """
import sys, traceback, keras, skpneumo
from skpneumo.datasets import make_xrays
class Stop(Exception): pass
def step(self, *args, **kwargs):
    frames = [frame for frame in traceback.extract_stack() if "/skpneumo/" in frame.filename]
    names = [frame.name for frame in frames]
    first = len(names) - 1 - names[::-1].index("fit")
    print(len(names) - first, " > ".join(names[first:]))
    raise Stop
keras.Model.train_on_batch = step
xrays = make_xrays(20, image_size=(34, 32), random_state=0)
try: skpneumo.CNNPneumoniaClassifier(epochs=1, random_state=0).fit(xrays.images, xrays.target)
except Stop: pass
"""


def read_modules(package):
    """Text of each module of a package, by dotted name."""
    return {
        ".".join(file.relative_to(package.parent).with_suffix("").parts): file.read_text()
        for file in sorted(package.rglob("*.py"))
    }


def count_function_lines(text):
    """Lines of code of each function and method."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body
            docstring = ast.get_docstring(node, clean=False) is not None
            skipped = body[0].end_lineno - body[0].lineno + 1 if docstring else 0
            yield node.end_lineno - node.lineno + 1 - skipped


def find_private_imports(name, text):
    """Imports of private modules of another package; `_utils` and `_reporting` are for all."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("skpneumo."):
            continue
        parts = node.module.split(".")
        for i, part in enumerate(parts[1:], 1):
            if part.startswith("_") and part not in ("_utils", "_reporting"):
                owner = ".".join(parts[:i])
                if not name.startswith(f"{owner}."):
                    yield node.module
                break


def count_duplicates(modules):
    """Runs of equal lines that stand in two places."""
    places = Counter()
    for text in modules.values():
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        runs = zip(*(lines[i:] for i in range(DUPLICATE_LINES)), strict=False)
        places.update({run for run in runs if sum(map(len, run)) > 40 * DUPLICATE_LINES // 2})
    return sum(n > 1 for n in places.values())


def measure(root):
    """The figures of one checkout."""
    package = root / "skpneumo"
    modules = read_modules(package)
    n_lines = [len(text.splitlines()) for text in modules.values()]
    functions = [n for text in modules.values() for n in count_function_lines(text)]
    imports = [found for name in modules for found in find_private_imports(name, modules[name])]
    text = "\n".join(modules.values())
    comments = re.findall(r"^\s*#", text, re.MULTILINE)
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    frames = subprocess.run(
        [sys.executable, "-c", FRAMES],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split(maxsplit=1)
    return {
        "modules": len(modules),
        "lines": sum(n_lines),
        "lines of a module, median": statistics.median(n_lines),
        "lines of a module, maximum": max(n_lines),
        "functions": len(functions),
        "lines of a function, median": statistics.median(functions),
        f"functions over {MAX_FUNCTION_LINES} lines": sum(
            n > MAX_FUNCTION_LINES for n in functions
        ),
        "lines of a function, maximum": max(functions),
        "private modules at the top": len([*package.glob("_[a-z]*.py")]),
        "imports of another package's private modules": len(imports),
        "frames from fit to a step": frames[0],
        "hard dependencies": len(project["dependencies"]),
        "runs of 8 duplicate lines": count_duplicates(modules),
        "comment lines per 100": round(100 * len(comments) / sum(n_lines), 1),
    } | {
        f"{name}, per 10,000 lines": round(1e4 * len(re.findall(word, text)) / sum(n_lines), 1)
        for name, word in WORDS.items()
    }


roots = [Path(path).resolve() for path in sys.argv[1:] or [Path(__file__).parents[2]]]
columns = [measure(root) for root in roots]
print("|".join(["", "", *(root.name for root in roots), ""]))
print("|".join(["", "---", *("---" for _ in roots), ""]))
for row in columns[0]:
    print("|".join(["", row, *(str(column[row]) for column in columns), ""]))
