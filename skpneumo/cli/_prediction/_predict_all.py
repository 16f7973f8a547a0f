"""Predictions of any number of files, batch by batch, in bounded memory."""

import time
from contextlib import closing, nullcontext
from itertools import islice

from skpneumo._utils.parallel import map_chunks
from skpneumo.cli._prediction._predict_files import predict_batch
from skpneumo.prediction import identify_patients, share_model

# A file that vanishes after its check makes only its own batch start again.
_BATCH_SIZE = 64
# Batches that are timed, after the first, which builds the network; and those that workers finish
# before the next ones are given to them, for each worker.
_TIMED, _PER_CALL = 4, 16


def predict_all(model, found, options, tally, *, run, show, table=None, heatmaps=None, n_jobs=1):
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
    n_jobs : int, default=1
        Processes that predict at once.
    """
    with nullcontext() if table is None else closing(table):
        known = _take_known(table, found, options, tally, heatmaps)
        if known:
            run.note(f"{len(known):,} of {len(found.files):,} files are in {table.path} already.")
        run.next_step = "" if table is None else "run the same command again: it goes on from here."
        left = [file for file in found.files if file not in known]
        batches = map_chunks(
            *(predict_batch, found.with_reasons(left), share_model(model), options),
            n_jobs=n_jobs,
            chunk_size=_BATCH_SIZE,
        )
        try:
            for rows, patients in _timed(batches, len(left), n_jobs, run):
                show((tally.n_files + len(rows)) / len(found.files), "Predicting")
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


def _timed(batches, n_files, n_jobs, run):
    """Announce how long the rest takes, after some batches."""
    # Workers deliver many batches at once; here the first one builds the network.
    first, last = (0, _PER_CALL * n_jobs) if n_jobs > 1 else (1, 1 + _TIMED)
    started = time.perf_counter()
    for n, batch in enumerate(batches, 1):
        if n == first:
            started = time.perf_counter()
        if n == last:
            per_batch = (time.perf_counter() - started) / (last - first)
            run.announce(per_batch * (n_files / _BATCH_SIZE - n), "The prediction")
        yield batch


def _hand_on(rows, patients, found, tally, heatmaps, *, are_new=True):
    for row, patient in zip(rows, patients, strict=True):
        if heatmaps is not None:
            path = heatmaps.draw(row, again=are_new)
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
