"""``skpneumo check-site``."""

import sys
from contextlib import redirect_stdout
from typing import Annotated

import typer

from skpneumo.cli._console import ERR, print_lines, results_width
from skpneumo.cli._messages import errors_as_messages, standard_output, warnings_as_messages
from skpneumo.cli._options import AllViews, AsJSON, Model, Report, SiteFolder, views_to_load
from skpneumo.cli._parsers import Number
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
    as_json: AsJSON = False,
):
    """Check, without labels, whether the scores at a site are distributed as in the reference.

    It finds a difference of the prevalence or of the population. It never shows that the model
    works: positive patients that look negative to it do not show.
    """
    with errors_as_messages("The check", ERR) as written:
        with warnings_as_messages(ERR), ERR.status("Checking …"), redirect_stdout(sys.stderr):
            # Imports TensorFlow, for which --help and wrong options need not wait.
            from skpneumo import sites
            from skpneumo.cli._models import open_model

            classifier = open_model(model)
            files, patients = find_pool(folder, views_to_load(all_views))
            check = sites.check_site(classifier, files, groups=patients, n_checks=checks)
            if report is not None:
                check.save(report)
                written.append(report)
        if as_json:
            with standard_output():
                print(check.to_json())
            return
        width = results_width()
        print_lines(str(check) if width is None else check.to_text(width))
