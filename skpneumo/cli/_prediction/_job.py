"""A job of ``predict`` or ``explain``: model and files, predictions, tables and notes."""

from dataclasses import dataclass
from pathlib import Path

import typer

from skpneumo._utils.provenance import model_fingerprint
from skpneumo.cli._console import results_console
from skpneumo.cli._errors import ExitCode
from skpneumo.cli._models import check_has_triage, open_first_model, set_threshold
from skpneumo.cli._prediction._find_files import find_files
from skpneumo.cli._prediction._heatmaps import HeatmapFolder, prepare_folder
from skpneumo.cli._prediction._predict_all import predict_all
from skpneumo.cli._prediction._predict_files import PredictionOptions
from skpneumo.cli._prediction._results import (
    describe_errors,
    describe_omissions,
    print_results,
    results_as_json,
)
from skpneumo.cli._prediction._table_file import TableFile
from skpneumo.cli._prediction._tally import Tally
from skpneumo.cli._site import report_check

_N_DIGITS = 16  # of a fingerprint
_SEEN = (
    "The networks of the package were trained on these X-rays: that they are right here is no "
    "evidence that they are right on others."
)


@dataclass(frozen=True, kw_only=True)
class PredictionJob:
    """What is predicted, and where it goes.

    Parameters
    ----------
    names : list of str
        As typed: a model, which may be missing, then X-rays.
    options : PredictionOptions
        How to predict.
    csv : path, default=None
        Table that rows are appended to.
    heatmaps : path, default=None
        Folder of heatmaps.
    method : {"integrated", "gradcam"}, default="integrated"
        Of the heatmaps.
    prevalence : float, default=None
        Set the threshold by this proportion of patients with pneumonia.
    true_labels : dict of str to label, default=None
        By file, if they are known.
    n_jobs : int, default=1
        Processes that predict at once.
    """

    names: list
    options: PredictionOptions
    csv: Path | None = None
    heatmaps: Path | None = None
    method: str = "integrated"
    prevalence: float | None = None
    true_labels: dict | None = None
    n_jobs: int = 1

    def run(self, run):
        """Predict, deliver the result and report what a reader must know of it.

        Parameters
        ----------
        run : Run
            Of the command.

        Raises
        ------
        ValueError
            If a file could not be read; after everything else is done.
        typer.Exit
            If files are left out that were named.
        """
        with run.working("Loading the model"):
            model, found, table, folder = self._prepare(run)
        keeps_all = run.as_json or run.output is not None
        with Tally(keeps_all=keeps_all) as tally:
            self._predict(model, found, table, folder, tally, run)
        if self.prevalence is not None:
            run.note(f"{model.describe_threshold()}.")
        elif self.true_labels is None:
            report_check(model, tally.scores, tally.patients, run)
        else:
            run.note(_SEEN)
        for warning in describe_omissions(tally, found.skipped):
            run.warn(warning)
        status = tally.exit_code()
        if status == ExitCode.ERROR:
            raise ValueError(describe_errors(tally))
        if status:
            raise typer.Exit(status)

    def _predict(self, model, found, table, folder, tally, run):
        with run.progress("Predicting") as show:
            predict_all(
                *(model, found, self.options, tally),
                run=run,
                show=show,
                table=table,
                heatmaps=folder,
                n_jobs=self.n_jobs,
            )
        run.deliver(
            lambda: results_as_json(tally, model, self.options, skipped=found.skipped),
            lambda: print_results(
                *(tally, model, self.options, results_console()),
                n_skipped=len(found.skipped),
                csv=self.csv,
                true_labels=self.true_labels,
            ),
        )

    def _prepare(self, run):
        """Open everything: what cannot be written is an error before hours of prediction."""
        model, names = open_first_model(self.names)
        if self.options.triage:
            check_has_triage(model)
        fingerprint = model_fingerprint(model)[:_N_DIGITS]
        found = find_files(names)
        if self.heatmaps is not None:
            prepare_folder(self.heatmaps)
        if self.prevalence is not None:
            model = set_threshold(model, found, self.prevalence, self.options.views, run)
        table = None if self.csv is None else self._make_table(model, fingerprint)
        folder = None
        if self.heatmaps is not None:
            folder = HeatmapFolder(model, self.heatmaps, fingerprint, method=self.method)
        return model, found, table, folder

    def _make_table(self, model, fingerprint):
        threshold, rule_in = self.options.get_thresholds(model)
        origin = {"model": fingerprint, "threshold": f"{threshold:.6g}"}
        if rule_in is not None:
            origin["rule_in_threshold"] = f"{rule_in:.6g}"
        return TableFile(self.csv, self.options.columns, origin, model.classes_.tolist())
