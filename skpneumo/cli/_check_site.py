"""``skpneumo check-site``."""

from typing import Annotated

import typer

from skpneumo.cli._console import print_lines, results_width
from skpneumo.cli._options import (
    AllViews,
    AsJSON,
    Model,
    Output,
    Quiet,
    Report,
    SiteFolder,
    views_to_load,
)
from skpneumo.cli._parsers import Number
from skpneumo.cli._run import quote, start_run
from skpneumo.cli._site import find_pool


def check_site(
    model: Model,
    folder: SiteFolder,
    report: Report = None,
    checks: Annotated[
        int,
        typer.Option(
            parser=Number(int, 1),
            metavar="N",
            help="Number of checks of this site, earlier and planned ones included.",
        ),
    ] = 1,
    all_views: AllViews = False,
    output: Output = None,
    as_json: AsJSON = False,
    quiet: Quiet = False,
):
    """Compare the scores at a site with the reference, without labels.

    It finds a difference of the prevalence or of the population. It never shows that the model
    works: positive patients that look negative to it do not show.
    """
    with start_run("The check", as_json=as_json, output=output, quiet=quiet) as run:
        with run.working("Checking"):
            # Imports TensorFlow, for which --help and wrong options need not wait.
            from skpneumo import sites
            from skpneumo.cli._models import open_model
            from skpneumo.cli._timing import time_predictions

            classifier = open_model(model)
            files, patients = find_pool(folder, views_to_load(all_views), run)
            run.announce(time_predictions(classifier, files), "The check")
            check = sites.check_site(classifier, files, groups=patients, n_checks=checks)
            if report is not None:
                check.save(report)
                run.written.append(report)
        run.deliver(check.to_json(), lambda: _print(check))
        run.next_step = _next_step(check.shift, quote(model), quote(folder))


def _print(check):
    width = results_width()
    print_lines(str(check) if width is None else check.to_text(width))


def _next_step(shift, model, folder):
    if shift == "population":
        return f"certify a threshold: skpneumo certify {model} {folder} --labels labels.csv"
    return f"skpneumo predict {model} {folder} --csv out.csv"
