"""What every command has: a usage line to read, whole sentences of help, and ``--config``."""

import inspect
from typing import Annotated

import typer
from typer.core import TyperCommand

from skpneumo.cli._config import load_config, write_config
from skpneumo.cli._options import output_file
from skpneumo.cli._run import Run


def _of_every_command(
    config: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            is_eager=True,
            callback=load_config,
            help="Take options from this TOML file; those that are typed win.",
        ),
    ] = None,
    save_config: Annotated[
        str | None, output_file("Write the options of this run here, for --config.")
    ] = None,
):
    """Declare options; they end here and not in the functions of the commands."""


_declared = typer.Typer(add_completion=False)
_declared.command()(_of_every_command)
_OPTIONS = [p for p in typer.main.get_command(_declared).params if p.name.endswith("config")]


class Command(TyperCommand):
    """A command whose options can be saved and replayed."""

    def get_params(self, ctx):
        """List the parameters, with those of every command before ``--help``."""
        *own, help_option = super().get_params(ctx)
        return [*own, *_OPTIONS, help_option]

    def invoke(self, ctx):
        """Run the command."""
        ctx.params.pop("config")
        if (path := ctx.params.pop("save_config")) is not None:
            write_config(path, ctx)
            Run(quiet=ctx.params["quiet"]).note(f"Wrote {path}; --config {path} repeats this run.")
        return super().invoke(ctx)

    def collect_usage_pieces(self, ctx):
        """Name the arguments as their metavars do, without braces around them."""
        return [self.options_metavar, *(argument.metavar for argument in _arguments(self, ctx))]

    def format_options(self, ctx, formatter):
        """Write arguments and options, each with its help."""
        arguments = _arguments(self, ctx)
        if arguments:
            with formatter.section("Arguments"):
                formatter.write_dl([(argument.metavar, argument.help) for argument in arguments])
        records = [p.get_help_record(ctx) for p in self.get_params(ctx) if p not in arguments]
        with formatter.section("Options"):
            formatter.write_dl([record for record in records if record is not None])

    def get_short_help_str(self, limit=45):
        """Return the first sentence, whole; the default is cut to what fits in a line."""
        return " ".join(inspect.cleandoc(self.help).partition("\n\n")[0].split())


def _arguments(command, ctx):
    return [p for p in command.get_params(ctx) if p.param_type_name == "argument"]
