"""Predictions of any number of files, batch by batch, in bounded memory."""

import time
from contextlib import closing, nullcontext
from itertools import islice

from skpneumo.cli._prediction._predict_files import predict_batch
from skpneumo.cli._site import identify_patients

# A file that vanishes after its check makes only its own batch start again.
_BATCH_SIZE = 64
# Batches that are timed, after the first, which builds the network.
_TIMED = 4


def predict_all(model, found, options, tally, *, run, show, table=None, heatmaps=None):
    """Predict files, and hand on each batch.

    Parameters
    ----------
    model : classifier
        Fitted; it takes paths.
    found : FoundFiles
        Returned by `find_files`.
    options : PredictionOptions
        How to predict.
    tally : Tally
        To which all rows are added.
    run : Run
        Lists what was written, and announces how long the rest takes.
    show : callable
        Called as ``show(fraction, doing)``.
    table : TableFile, default=None
        Rows that it holds are not computed again; the others are appended.
    heatmaps : HeatmapFolder, default=None
        Draws each file that has a probability.
    """
    with nullcontext() if table is None else closing(table):
        known = _take_known(table, found, options, tally, heatmaps)
        if known:
            run.note(f"{len(known):,} of {len(found.files):,} files are in {table.path} already.")
        run.next_step = "" if table is None else "run the same command again: it goes on from here."
        left = (file for file in found.files if file not in known)
        try:
            for rows, patients in _predict_batches(model, left, found, options, tally, run, show):
                if table is not None:
                    table.append(rows)
                _hand_on(rows, patients, found, tally, heatmaps)
        finally:
            run.written += _list_written(table, heatmaps, tally.n_files, len(found.files))
        run.next_step = ""


def _take_known(table, found, options, tally, heatmaps):
    """Hand on the rows that the table holds, and return their files."""
    known = set()
    rows = () if table is None else table.load(found.files, options.may_keep)
    for batch in _batches(rows):
        files = [row["file"] for row in batch]
        known.update(files)
        _hand_on(batch, identify_patients(files), found, tally, heatmaps, are_new=False)
    return known


def _predict_batches(model, files, found, options, tally, run, show):
    n_before, n_files = tally.n_files, len(found.files)
    started = 0.0
    for n, batch in enumerate(_batches(files)):
        show(tally.n_files / n_files, "Predicting")
        if n == 1:
            started, n_before = time.perf_counter(), tally.n_files
        if n == 1 + _TIMED:
            per_file = (time.perf_counter() - started) / (tally.n_files - n_before)
            run.announce(per_file * (n_files - tally.n_files), "The prediction")
        yield predict_batch(model, batch, found, options)
    show(1, "Predicting")


def _hand_on(rows, patients, found, tally, heatmaps, *, are_new=True):
    for row, patient in zip(rows, patients, strict=True):
        if heatmaps is not None:
            path = heatmaps.draw(tally.n_files, row, again=are_new)
            row["heatmap"] = None if path is None else str(path)
        tally.add(row, patient, named=row["file"] in found.named)


def _list_written(table, heatmaps, n_done, n_files):
    written = []
    if table is not None:
        part = f" ({n_done:,} of {n_files:,} files)" if n_done < n_files else ""
        written.append(f"{table.path}{part}")
    if heatmaps is not None and heatmaps.n_written:
        written.append(
            f"{heatmaps.n_written:,} heatmap{'s' * (heatmaps.n_written > 1)} in {heatmaps.folder}"
        )
    return written


def _batches(items):
    items = iter(items)
    while batch := list(islice(items, _BATCH_SIZE)):
        yield batch
