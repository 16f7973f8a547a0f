"""Use an installed skpneumo, from where no checkout is: each part that needs more than modules."""

import subprocess
import sys
import sysconfig
import tempfile
from importlib.metadata import version
from pathlib import Path

import skpneumo
from skpneumo.datasets import audit, load_sample_xrays
from skpneumo.evaluation import evaluate

PACKAGE = Path(skpneumo.__file__).parent


def check_place():
    """The package is the installed one, and typed."""
    assert PACKAGE.parent == Path(sysconfig.get_path("purelib")), PACKAGE
    assert skpneumo.__version__ == version("skpneumo")
    assert (PACKAGE / "py.typed").is_file()


def check_networks(samples):
    """The packaged networks predict the sample X-rays; return one."""
    for name in ("mean", "inception", "cnn"):
        model = skpneumo.load_pretrained(name)
        assert (model.predict(samples.paths) == samples.target).mean() > 0.9, name
    return model


def check_reports(model, samples, folder):
    """Templates, styles and checklists are there."""
    evaluate(model, samples.paths, samples.target).save(folder / "report.html")
    audit(samples).save(folder / "audit.html")
    for name in ("report.html", "audit.html"):
        assert "</html>" in (folder / name).read_text("utf-8"), name


def check_command(samples):
    """The command runs."""
    command = [sys.executable, "-m", "skpneumo"]
    subprocess.run([*command, "--help"], check=True, capture_output=True)
    done = subprocess.run(
        [*command, "predict", samples.paths[0]], check=True, capture_output=True, text=True
    )
    assert "NORMAL" in done.stdout, done.stdout


def main():
    """Run all of it."""
    check_place()
    samples = load_sample_xrays()
    model = check_networks(samples)
    with tempfile.TemporaryDirectory() as folder:
        check_reports(model, samples, Path(folder))
    check_command(samples)
    print(f"skpneumo {skpneumo.__version__} works in {PACKAGE}")


if __name__ == "__main__":
    main()
