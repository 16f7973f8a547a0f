"""``skpneumo audit``."""

from skpneumo.cli._console import print_lines, results_width
from skpneumo.cli._options import (
    AllViews,
    AsJSON,
    Classes,
    Jobs,
    LabelledFolder,
    Output,
    Quiet,
    Report,
    views_to_load,
)
from skpneumo.cli._parsers import parse_classes
from skpneumo.cli._run import quote, start_run


def audit(
    folder: LabelledFolder,
    report: Report = None,
    classes: Classes = None,
    all_views: AllViews = False,
    jobs: Jobs = 1,
    output: Output = None,
    as_json: AsJSON = False,
    quiet: Quiet = False,
):
    """Check a dataset for duplicates, leakage and shortcuts."""
    class_of_folder = parse_classes(classes)
    with start_run("The audit", as_json=as_json, output=output, quiet=quiet) as run:
        with run.working("Decoding every file"):
            from skpneumo import datasets  # imports scikit-learn, which takes time
            from skpneumo.cli._timing import time_reading

            data = datasets.load_xray_folder(
                folder, classes=class_of_folder, views=views_to_load(all_views)
            )
            run.announce(time_reading(data.paths) / jobs, "The audit")
            result = datasets.audit(data, n_jobs=jobs)
        if report is not None:
            result.save(report)
            run.written.append(report)
        run.deliver(result.to_json(), lambda: _print(result))
        run.next_step = _next_step(folder, report)


def _print(result):
    # The text is laid out for a width: folded again by the console, it would be ragged.
    width = results_width()
    print_lines(str(result) if width is None else result.to_text(width))


def _next_step(folder, report):
    if report is None:
        return "see the images of the findings with --report audit.html."
    return f"mend the folder, and train: skpneumo train {quote(folder)}"
