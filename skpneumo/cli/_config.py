"""Options of a command in a TOML file: saved, and taken from there."""

import json
import os
import tomllib
from difflib import get_close_matches

import typer

import skpneumo
from skpneumo._utils.files import write_text
from skpneumo.cli._errors import describe_os_error

_UNSAVED = {"help", "config", "save-config"}


def load_config(ctx: typer.Context, path: str):
    """Take the options of a file; those that are typed win.

    Parameters
    ----------
    ctx : typer.Context
        Of the command. Its defaults are replaced.
    path : str or None
        TOML with a table for the command.
    """
    if path is not None and not ctx.resilient_parsing:
        ctx.default_map = read_config(path, ctx)
    return path


def read_config(path, ctx):
    """Read the options of one command.

    Parameters
    ----------
    path : str
        The file.
    ctx : typer.Context
        Of the command.

    Returns
    -------
    dict
        By the names of parameters in Python.

    Raises
    ------
    typer.BadParameter
        If there is no such table, or an option in it that the command does not have.
    """
    command = ctx.info_name
    try:
        with open(path, "rb") as file:
            tables = tomllib.load(file)
    except OSError as error:
        raise typer.BadParameter(describe_os_error(error)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} is no TOML file: {error}.") from None
    options = tables.get(command)
    if not isinstance(options, dict):
        raise typer.BadParameter(
            f"{path} has no table [{command}]. Write one with skpneumo {command} --save-config."
        )
    names = _names(ctx)
    for name in options:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise typer.BadParameter(f"{path}: {command} has no option {name}.{hint}")
    return {names[name].name: value for name, value in options.items()}


def write_config(path, ctx):
    """Write the options that a command runs with, defaults included.

    Parameters
    ----------
    path : path
        The file.
    ctx : typer.Context
        Of the command, parsed.
    """
    lines = [f"# Written by skpneumo {skpneumo.__version__}.", f"[{ctx.info_name}]"]
    for name, parameter in _names(ctx).items():
        value = _plain(ctx.params.get(parameter.name))
        if value not in (None, []):
            lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    write_text("\n".join(lines) + "\n", path)


def _names(ctx):
    """Parameters by their names in the file: those of options as typed, without dashes."""
    names = {
        (
            parameter.opts[0].lstrip("-")
            if parameter.param_type_name == "option"
            else parameter.name.replace("_", "-")
        ): parameter
        for parameter in ctx.command.get_params(ctx)
    }
    return {name: parameter for name, parameter in names.items() if name not in _UNSAVED}


def _plain(value):
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value
