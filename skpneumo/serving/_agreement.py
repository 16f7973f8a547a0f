"""What several readers of the same images agree on."""

from typing import NamedTuple

NEGATIVE, POSITIVE, UNSURE = "negative", "positive", "unsure"


class Agreement(NamedTuple):
    """What is known of an image after some readings."""

    labels: dict
    """Latest label by reader, without a third one."""
    decided: str | None = None
    """What the third reader decided."""

    def conclude(self, n_readers):
        """Label that counts, or None while it is open.

        Parameters
        ----------
        n_readers : int
            Readers of each image.

        Returns
        -------
        str or None
        """
        if len(self.labels) < n_readers:
            return None
        found = set(self.labels.values())
        return found.pop() if len(found) == 1 else self.decided

    def is_disagreement(self, n_readers):
        """Whether readers disagree and nobody has decided."""
        return len(self.labels) >= n_readers and self.conclude(n_readers) is None

    def add(self, reading):
        """The same after one more reading.

        Parameters
        ----------
        reading : RecordedReading
            It replaces an earlier one of the same reader.

        Returns
        -------
        Agreement
        """
        if reading.is_third:
            return self._replace(decided=reading.label)
        return self._replace(labels=self.labels | {reading.reader: reading.label})
