"""The reading list: images that a certifier wants read, one after another, by blinded readers.

Everything follows from the readings in their order, which are recorded one by one: after a restart
they are gone through again.
"""

import os
import tempfile
import warnings
from pathlib import Path

from sklearn.frozen import FrozenEstimator

from skpneumo.persistence import save_model
from skpneumo.prediction import identify_patients
from skpneumo.serving._agreement import POSITIVE, UNSURE, Agreement
from skpneumo.serving._records import ReadingRecords, RecordedReading
from skpneumo.sites import RecallCertifier

RECORDS_NAME = "skpneumo-reading-list.sqlite"
MODEL_NAME = "skpneumo-certified.skpneumo"
# Images that may be read before the others of them are: readers of two do not wait for each other.
_N_AHEAD = 20
# Fixed, so that nobody tries several orders and keeps the threshold that pleases most.
_RANDOM_STATE = 0


class ReadingList:
    """A certifier, and the readings that it is given.

    Parameters
    ----------
    certifier : RecallCertifier
        Fitted, without labels.
    n_readers : int
        Readers of each image.
    records : ReadingRecords
        Where readings are recorded, and those of earlier runs.
    """

    def __init__(self, certifier, n_readers, records):
        self.certifier, self.n_readers, self.records = certifier, n_readers, records
        self.images = {}
        self.history = {}
        self._recorded = {}
        self._request()
        for reading in records.list_readings():
            self._apply(reading)

    @property
    def readers(self):
        """Readers of the images, in the order in which they began."""
        return [name for name, rows in self.history.items() if rows]

    def get_next(self, reader, *, is_third=False):
        """Row that a reader is to read next, or None."""
        if is_third:
            rows = self.list_disagreements()
            return next((row for row in rows if not self._has_read(reader, row)), None)
        if self.certifier.finished_:
            return None
        waiting = (row for row in self.window if not self._has_read(reader, row))
        return next((row for row in waiting if self._has_room(reader, row)), None)

    def list_disagreements(self):
        """Rows on which readers disagree, and which are wanted, in their order."""
        if self.certifier.finished_:
            return []
        wanted = (row for row in self.window if row in self.images)
        return [row for row in wanted if self.images[row].is_disagreement(self.n_readers)]

    def may_read(self, reader, row, *, is_third=False):
        """Whether a reader may record a label of a row now: a new one, or a corrected one."""
        if is_third:
            has_read = self._has_read(reader, row)
            return not has_read and (row in self.list_disagreements() or self._was_decided(row))
        if self._has_read(reader, row):
            return True
        return row in self.window and self._has_room(reader, row)

    def record(self, reading):
        """Record a reading, on disk first.

        Parameters
        ----------
        reading : RecordedReading
            Of a reader who may read the row.

        Raises
        ------
        ValueError
            If the list is finished, or the row is not to be read by this reader.
        """
        if self.certifier.finished_:
            raise ValueError("The reading list is finished. Its labels are not changed any more.")
        if not self.may_read(reading.reader, reading.row, is_third=reading.is_third):
            raise ValueError(
                "This image is not to be read by this reader now. Load the page again."
            )
        self.records.add(reading)
        self._apply(reading)

    def list_read(self, reader):
        """Rows that a reader has read, in the order in which that began."""
        return list(self.history.get(reader, {}))

    def _has_read(self, reader, row):
        return row in self.history.get(reader, {})

    def _has_room(self, reader, row):
        known = self.images.get(row, Agreement({}))
        return reader in known.labels or len(known.labels) < self.n_readers

    def _was_decided(self, row):
        return row in self.images and self.images[row].decided is not None

    def _request(self):
        # Asked for before each reading, so that a replay asks for the same.
        self.window = self.certifier.next_images(_N_AHEAD).tolist()

    def _apply(self, reading):
        """Take a reading, and give the certifier what follows from it."""
        known = self.images.get(reading.row, Agreement({}))
        self.images[reading.row] = known.add(reading)
        if not reading.is_third:
            self.history.setdefault(reading.reader, {})[reading.row] = reading.label
        self._update(reading.row)
        self._request()

    def _update(self, row):
        concluded = self.images[row].conclude(self.n_readers)
        before = self._recorded.get(row)
        if concluded == before:
            return
        if concluded is None:
            del self._recorded[row]
        else:
            self._recorded[row] = concluded
        with warnings.catch_warnings():
            # Shown with the result.
            warnings.simplefilter("ignore", UserWarning)
            if before is None:
                self._give([row])
            else:
                self.certifier.reset()
                self._give(list(self._recorded))

    def _give(self, rows):
        negative, positive = self.certifier.classes_.tolist()
        words = {UNSURE: None, POSITIVE: positive}
        self.certifier.record(rows, [words.get(self._recorded[row], negative) for row in rows])


def open_reading_list(model, folder, files):
    """Open the reading list of a folder.

    Parameters
    ----------
    model : classifier
        The model that the list was begun with.
    folder : path
        The folder.
    files : list of str
        Its X-rays, sorted.

    Returns
    -------
    ReadingList or None
        None if it has not begun.

    Raises
    ------
    ValueError
        If model or files are other ones than when it began.
    """
    path = Path(folder, RECORDS_NAME)
    if not path.exists():
        return None
    records = ReadingRecords(path)
    begun = records.get_list()
    if begun is None:
        records.close()
        return None
    n_readers, state = begun
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, "state.json")
        file.write_text(state, "utf-8")
        try:
            certifier = RecallCertifier.load(
                file, FrozenEstimator(model), files, groups=identify_patients(files)
            )
        except ValueError as error:
            records.close()
            text = str(error).removeprefix(f"{file} ")
            raise ValueError(f"{RECORDS_NAME} {text} Or move it away to begin a new one.") from None
    return ReadingList(certifier, n_readers, records)


def begin_reading_list(model, folder, files, *, min_recall, confidence, n_readers):
    """Begin a reading list.

    Parameters
    ----------
    model : classifier
        Fitted.
    folder : path
        The folder.
    files : list of str
        Its X-rays, sorted.
    min_recall, confidence : float
        See `RecallCertifier`.
    n_readers : int
        Readers of each image.

    Returns
    -------
    ReadingList

    Raises
    ------
    ValueError
        If it has begun already, or there are no X-rays.
    OSError
        If nothing can be recorded in the folder.
    """
    if not files:
        raise ValueError("The folder holds no X-ray that can be read.")
    certifier = RecallCertifier(
        FrozenEstimator(model),
        min_recall=min_recall,
        confidence=confidence,
        random_state=_RANDOM_STATE,
    )
    certifier.fit(files, groups=identify_patients(files))
    records = ReadingRecords(Path(folder, RECORDS_NAME))
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, "state.json")
        certifier.save(file)
        records.begin(n_readers, file.read_text("utf-8"))
    return ReadingList(certifier, n_readers, records)


def describe_result(certifier, folder):
    """Describe what a finished certifier certifies, and save its model into the folder.

    Parameters
    ----------
    certifier : RecallCertifier
        Finished.
    folder : path
        Where the model is written, unless nothing is certified.

    Returns
    -------
    dict
        Of `skpneumo.serving._schemas.ReadingResult`.
    """
    bound = certifier.recall_lower_bound_
    common = {
        "recall_lower_bound": bound,
        "n_labelled": certifier.n_labelled_,
        "n_images": len(certifier.pool_.scores),
        "is_certified": bound >= certifier.min_recall,
    }
    if not common["is_certified"]:
        return common | {
            "threshold": None,
            "description": "Too few X-rays show pneumonia to certify this recall. Collect more, "
            "and begin a new list in a folder with all of them.",
            "specificity": None,
            "specificity_interval": None,
            "model_file": None,
        }
    classifier, specificity = certifier.classifier_, certifier.estimate_specificity()
    path = Path(folder, MODEL_NAME)
    save_model(classifier, path)
    return common | {
        "threshold": float(certifier.threshold_),
        "description": classifier.describe_threshold(),
        "specificity": specificity and specificity.value,
        "specificity_interval": specificity and (specificity.low, specificity.high),
        "model_file": os.path.basename(path),
    }


__all__ = [
    "ReadingList",
    "RecordedReading",
    "begin_reading_list",
    "describe_result",
    "open_reading_list",
]
