"""The result of a check of a site: numbers, text and page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.special import logit

import skpneumo
from skpneumo._reporting.files import write_report
from skpneumo._utils.formatting import format_rows, percent
from skpneumo._utils.frames import import_pandas
from skpneumo._utils.typing import PathLike

if TYPE_CHECKING:
    import pandas

_N_BARS = 30
# Probabilities beyond these end up in the first and the last bar.
_MAX_LOG_ODDS = 15
UNKNOWN = "cannot be told from scores alone"
_HEADLINES = {
    "none": "No difference found; recall is not checked by this",
    "prevalence": "The prevalence differs",
    "population": "The population differs",
}
_MEANINGS = {
    "none": "The scores at this site could come from the patients that the threshold was chosen "
    "on, at the same prevalence. Positive patients that look negative to the model would not show.",
    "prevalence": "The scores at this site could come from patients like those that the threshold "
    "was chosen on, at another prevalence. Positive patients that look negative to the model would "
    "look the same.",
    "population": "No prevalence explains the scores at this site: images, devices or patients "
    "differ from those that the threshold was chosen on. What was certified there does not carry "
    "over to this site.",
}
_ADVICE = {
    "none": "Label a random sample of patients before you rely on the recall: plan_labels counts "
    "how many, RecallCertifier certifies it.",
    "prevalence": "Recall and specificity need not change with the prevalence, but predictive "
    "values do. Keep the threshold, and label a sample to certify the recall: see plan_labels and "
    "RecallCertifier.",
    "population": "Do not use this threshold here. Certify one with labels of this site "
    "(plan_labels, RecallCertifier), or, if the prevalence is known and no certificate is needed, "
    "set one by it (PrevalenceThresholdClassifier).",
}
_SUMMARIES = {
    "none": "no difference from the reference found; recall is not checked by this.",
    "prevalence": "the prevalence differs from that of the reference; recall is not checked.",
    "population": "the population differs from the reference, so that recall and specificity "
    "measured there do not carry over. See skpneumo check-site.",
}


def bin_for_histogram(scores, y_true, reference_scores, is_probability):
    """Histograms of the scores of a site and of both classes of the reference.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Scores of the site.
    y_true : ndarray of shape (m,), dtype bool
        Whether a reference image is positive.
    reference_scores : ndarray of shape (m,)
        Its score.
    is_probability : bool
        Whether scores are probabilities, which are shown as log odds.

    Returns
    -------
    dict
        ``edges``, ``is_log_odds``, and the proportions ``site``, ``negative`` and ``positive`` in
        each bar.
    """
    parts = [scores, reference_scores[~y_true], reference_scores[y_true]]
    parts = [np.asarray(part, dtype=np.float64) for part in parts]
    if is_probability:
        parts = [clipped_log_odds(part) for part in parts]
    edges = np.histogram_bin_edges(np.concatenate(parts), _N_BARS)
    bars = [(np.histogram(part, edges)[0] / len(part)).tolist() for part in parts]
    names = ("site", "negative", "positive")
    return {"edges": edges.tolist(), "is_log_odds": is_probability} | dict(
        zip(names, bars, strict=True)
    )


def clipped_log_odds(probabilities):
    """Log odds as they are drawn: finite, for probabilities of 0 and 1 and thresholds above 1."""
    with np.errstate(divide="ignore"):
        log_odds = logit(np.clip(probabilities, 0, 1))
    return np.clip(log_odds, -_MAX_LOG_ODDS, _MAX_LOG_ODDS)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SiteCheck:
    """Comparison of a site with the reference of a model. `check_site` returns it.

    ``print`` shows it as text, a notebook as HTML.

    Attributes
    ----------
    shift : {"none", "prevalence", "population"}
        The difference that was found; "none" does not show that there is none.
    p_value : float
        P-value of the finding, multiplied by the number of tests; below ``alpha`` a difference is
        found. For "none" the lower one of both tests.
    prevalence, prevalence_interval : float and (float, float)
        Estimated proportion of positive patients, or images without ``groups``; NaN if the
        population differs.
    reference_prevalence : float
        That of the reference.
    positive_rate : float
        Proportion of these patients, or images, predicted positive.
    expected_positive_rate, expected_positive_rate_interval : float and (float, float)
        What the reference expects at the estimated prevalence; NaN if the population differs.
    expected_specificity, expected_specificity_interval : float and (float, float)
        Specificity of images at the threshold of the model; NaN if the population differs.
    threshold : float
        That of the model.
    n_images : int
        Number of images of the site.
    n_patients : int or None
        Number of patients, if they are known.
    alpha : float
        Level of the check; intervals have the confidence ``1 - alpha``.
    n_checks : int
        Number of checks that the p-values account for.
    histogram : dict
        Proportions of the scores in bars: ``edges``, ``is_log_odds``, ``site``, ``negative`` and
        ``positive``.

    See Also
    --------
    check_site : What is tested.
    SiteCheckDisplay : Draw the scores.
    """

    shift: Literal["none", "prevalence", "population"]
    p_value: float
    prevalence: float
    prevalence_interval: tuple[float, float]
    reference_prevalence: float
    positive_rate: float
    expected_positive_rate: float
    expected_positive_rate_interval: tuple[float, float]
    expected_specificity: float
    expected_specificity_interval: tuple[float, float]
    threshold: float
    n_images: int
    n_patients: int | None
    alpha: float
    n_checks: int
    histogram: dict[str, Any] = field(default_factory=dict)

    @property
    def headline(self) -> str:
        """The finding, in a few words."""
        return _HEADLINES[self.shift]

    @property
    def meaning(self) -> str:
        """What the finding means."""
        return _MEANINGS[self.shift]

    @property
    def advice(self) -> str:
        """What to do next."""
        return _ADVICE[self.shift]

    def get_rows(self) -> list[tuple[str, str]]:
        """Get the numbers as text.

        Returns
        -------
        list of (str, str)
            Name and value.
        """
        compared = "images" if self.n_patients is None else "patients"
        tests = f", {self.n_checks} checks counted" if self.n_checks > 1 else ""
        size = f"{self.n_images:,} images"
        if self.n_patients is not None:
            size += f" of {self.n_patients:,} patients"
        return [
            ("compared", size),
            ("p-value", f"{_format_p(self.p_value)} (level {self.alpha:g}{tests})"),
            (f"prevalence of {compared}", _estimate(self.prevalence, self.prevalence_interval)),
            ("prevalence in the reference", percent(self.reference_prevalence)),
            (f"{compared} predicted positive", percent(self.positive_rate)),
            (
                "expected to be predicted positive",
                _estimate(self.expected_positive_rate, self.expected_positive_rate_interval),
            ),
            (
                "expected specificity",
                _estimate(self.expected_specificity, self.expected_specificity_interval),
            ),
        ]

    def __str__(self) -> str:
        return self.to_text()

    __repr__ = __str__

    def to_text(self, width: int = 79) -> str:
        """Format the check as text.

        Parameters
        ----------
        width : int, default=79
            Columns, at which lines are folded between words.

        Returns
        -------
        str
        """
        texts = [f"{self.headline}.", self.meaning, self.advice]
        headline, *paragraphs = ("\n".join(wrap(text, width)) for text in texts)
        return "\n\n".join([headline, format_rows(self.get_rows(), width), *paragraphs])

    def summarize(self) -> str:
        """Summarize the check in one line.

        Returns
        -------
        str
            For logs and terminals.
        """
        return f"Check of the site (p-value {_format_p(self.p_value)}): {_SUMMARIES[self.shift]}"

    def to_dict(self) -> dict[str, Any]:
        """Convert to numbers, texts, lists and dicts; None for what is not finite or not known.

        Returns
        -------
        dict
        """
        values = {name: _plain(value) for name, value in asdict(self).items()}
        return values | {"meaning": self.meaning, "advice": self.advice}

    def to_frame(self) -> pandas.DataFrame:
        """Convert the numbers to a data frame of one row, to be concatenated over sites or months.

        Returns
        -------
        pandas.DataFrame
            One column for each attribute but ``histogram``; of an interval two, such as
            "prevalence_low" and "prevalence_high". NaN for what is not known.

        Raises
        ------
        ImportError
            If pandas is not installed.

        Examples
        --------
        Checks of several sites, one in each row::

            pandas.concat({site: check.to_frame() for site, check in checks.items()})
        """
        values = {}
        for name, value in asdict(self).items():
            if name.endswith("_interval"):
                name = name.removesuffix("_interval")
                values |= {f"{name}_low": value[0], f"{name}_high": value[1]}
            elif name != "histogram":
                values[name] = value
        return import_pandas().DataFrame([values])

    def to_json(self) -> str:
        """Convert to JSON.

        Returns
        -------
        str
        """
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def to_html(self) -> str:
        """Render a page that needs no other file and no network.

        Returns
        -------
        str
        """
        return self._render(embedded=False)

    def _repr_html_(self) -> str:
        return self._render(embedded=True)

    def _render(self, embedded):
        from skpneumo._reporting.pages import render_page
        from skpneumo._reporting.svg import draw_svg
        from skpneumo.sites._site_check_display import draw_check

        figure = draw_svg(
            draw_check,
            self,
            name="scores",
            description="Histograms of the scores of the site and of the reference.",
            size=(7.2, 3.0),
        )
        return render_page(
            __package__,
            "site_check.html.jinja",
            embedded=embedded,
            version=skpneumo.__version__,
            check=self,
            figure=figure,
        )

    def save(self, path: PathLike) -> None:
        """Write the check to a file.

        Parameters
        ----------
        path : str or path
            Ends in ``.html``, ``.json`` or ``.txt``.
        """
        write_report(self, path)


def _format_p(p_value):
    return f"{p_value:.3f}" if p_value >= 0.001 else "below 0.001"


def _estimate(value, interval):
    if np.isnan(value):
        return UNKNOWN
    low, high = interval
    return f"{percent(value)} ({percent(low)} to {percent(high, up=True)})"


def _plain(value):
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
