"""``--config`` and ``--save-config``: the options of a run, saved and replayed."""

import json
import tomllib
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from skpneumo.cli import app as skpneumo_app
from skpneumo.cli._app import COMMANDS
from skpneumo.cli._command import Command
from skpneumo.cli._options import Classes, Quiet, open_fraction
from skpneumo.cli._parsers import Number, parse_folder

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback()
def root():
    """Make the command below a command, and not the whole application."""


@app.command(cls=Command)
def measure(
    folder: Annotated[Path, typer.Argument(parser=parse_folder, metavar="FOLDER", help="Where.")],
    n_folds: Annotated[int, typer.Option("--folds", parser=Number(int, 2), metavar="N")] = 5,
    min_recall: Annotated[float | None, open_fraction("R", "Recall.")] = None,
    test: Annotated[bool, typer.Option()] = True,
    classes: Classes = None,
    quiet: Quiet = False,
):
    """Print the options."""
    options = {"folder": str(folder), "folds": n_folds, "min-recall": min_recall, "test": test}
    print(json.dumps(options | {"classes": classes, "quiet": quiet}))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs the command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["measure", *arguments])


TYPED = ("x-rays \u201cold\u201d", "--folds", "3", "--min-recall", "0.9", "--no-test")


def test_a_run_is_saved_and_replayed(run):
    classes = ("--classes", 'a "b"\\c=NORMAL', "--classes", "d=PNEUMONIA")
    first = run(*TYPED, *classes, "--save-config", "run.toml")
    assert first.exit_code == 0, first.output
    assert "Wrote run.toml; --config run.toml repeats this run." in first.stderr
    again = run("--config", "run.toml")
    assert again.exit_code == 0, again.output
    assert again.stdout == first.stdout
    options = json.loads(again.stdout)
    assert options["classes"] == [classes[1], classes[3]]
    # The file holds the defaults too, which another version may change.
    with open("run.toml", "rb") as file:
        assert tomllib.load(file)["measure"] == {
            name: value for name, value in options.items() if value is not None
        }


def test_what_is_typed_wins(run):
    run(*TYPED, "--save-config", "run.toml")
    options = json.loads(run("elsewhere", "--config", "run.toml", "--folds", "7", "--test").stdout)
    assert options["folder"] == "elsewhere"
    assert (options["folds"], options["test"], options["min-recall"]) == (7, True, 0.9)


def test_one_file_for_several_commands(run, tmp_path):
    (tmp_path / "run.toml").write_text('[other]\nx = 1\n[measure]\nfolder = "a"\nfolds = 2\n')
    assert json.loads(run("--config", "run.toml").stdout)["folds"] == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[measure]\nfold = 3", "measure has no option fold. Did you mean folds?"),
        (
            "[measure]\nmin_recall = 0.9",
            "measure has no option min_recall. Did you mean min-recall?",
        ),
        ("[measure]\nfolds = 1", "'--folds': got '1', wanted a whole number of 2 or more"),
        ("[measure]\nmin-recall = 'high'", "'--min-recall': got 'high', wanted a number between"),
        ("[train]\nfolds = 3", "has no table [measure]. Write one with skpneumo measure"),
        ("measure = 3", "has no table [measure]"),
        ("[measure", "run.toml is no TOML file: "),
    ],
)
def test_a_wrong_file_is_refused(run, tmp_path, words, content, message):
    (tmp_path / "run.toml").write_text(content)
    done = run("folder", "--config", "run.toml")
    assert done.exit_code == 2
    assert message in words(done.stderr)
    assert done.stdout == ""


def test_a_missing_file_and_a_file_that_cannot_be_written_are_named(run, words):
    done = run("folder", "--config", "gone.toml")
    assert done.exit_code == 2
    assert "gone.toml: there is no such file" in words(done.stderr)
    done = run("folder", "--save-config", "gone/run.toml")
    assert done.exit_code == 2
    assert "cannot write to gone/run.toml" in words(done.stderr)


def test_a_missing_argument_is_still_missing(run, tmp_path):
    (tmp_path / "run.toml").write_text("[measure]\nfolds = 3\n")
    done = run("--config", "run.toml")
    assert done.exit_code == 2
    assert "Missing argument 'FOLDER'" in done.stderr


# -- every command --------------------------------------------------------------------------------

NAMES = [command.__name__.replace("_", "-") for command in COMMANDS]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_every_command_has_the_common_options_and_a_help_that_fits(name, columns):
    done = CliRunner().invoke(
        skpneumo_app, [name, "-h"], prog_name="skpneumo", terminal_width=columns
    )
    assert done.exit_code == 0
    # The reading page has no result.
    of_results = () if name == "serve" else ("--json", "--output")
    for option in (*of_results, "--quiet", "--config", "--save-config"):
        assert f"{option} " in done.output
    assert max(map(len, done.output.splitlines())) <= columns
    usage = " ".join(done.output.partition("\n\n")[0].split())
    assert usage.startswith(f"Usage: skpneumo {name} [OPTIONS]")
    assert not set("{}<>") & set(usage)
    assert "<" not in done.output
    assert "[required]" not in done.output.partition("Options:")[0]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_list_of_commands_is_not_cut(columns):
    done = CliRunner().invoke(skpneumo_app, ["-h"], prog_name="skpneumo", terminal_width=columns)
    assert "..." not in done.output.replace("[ARGS]...", "")
    assert all(f"  {name} " in done.output for name in NAMES)
    assert "--install-completion" in done.output
    if columns != 60:
        commands = done.output.partition("Commands:\n")[2]
        assert len(commands.strip().splitlines()) == len(NAMES)


def test_version():
    done = CliRunner().invoke(skpneumo_app, ["--version"])
    assert (done.exit_code, done.stdout.split()[0]) == (0, "skpneumo")


def test_networks_and_files_are_completed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("cnn-of-ours.skpneumo").touch()

    def complete(*words):
        line = {"COMP_WORDS": " ".join(["skpneumo", *words]), "COMP_CWORD": str(len(words))}
        environment = {"_SKPNEUMO_COMPLETE": "complete_bash"} | line
        done = CliRunner(env=environment).invoke(skpneumo_app, [], prog_name="skpneumo")
        return done.stdout.split()

    assert complete("evaluate", "cn") == ["cnn", "cnn-of-ours.skpneumo"]
    assert complete("predict", "inc") == ["inception"]
    assert complete("exp") == ["explain", "export"]
    # The shell itself completes other files, as it knows which are folders.
    assert complete("predict", "scan") == []
