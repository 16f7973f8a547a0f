"""``skpneumo audit``."""

from skpneumo.cli._console import ERR, print_lines, results_width
from skpneumo.cli._messages import errors_as_messages, warnings_as_messages
from skpneumo.cli._options import AllViews, Classes, LabelledFolder, Report, views_to_load
from skpneumo.cli._parsers import parse_classes


def audit(
    folder: LabelledFolder,
    report: Report = None,
    classes: Classes = None,
    all_views: AllViews = False,
):
    """Check a dataset for duplicates, leakage and shortcuts."""
    class_of_folder = parse_classes(classes)
    with errors_as_messages("The audit", ERR) as written:
        with warnings_as_messages(ERR), ERR.status("Decoding every file …"):
            from skpneumo import datasets  # imports scikit-learn, which takes time

            data = datasets.load_xray_folder(
                folder, classes=class_of_folder, views=views_to_load(all_views)
            )
            result = datasets.audit(data)
        if report is not None:
            result.save(report)
            written.append(report)
        # The text is laid out for a width: folded again by the console, it would be ragged.
        width = results_width()
        print_lines(str(result) if width is None else result.to_text(width))
