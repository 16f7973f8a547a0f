"""An answer in words: what the model answers, and what it means for a patient."""

import numpy as np

from skpneumo._utils.formatting import percent
from skpneumo.serving._answers import LEFT_OUT, OUTLIER, PREDICTED

NOTICE = "Research software, not a medical device: it must not decide about a patient."
# By the shift that a check of the site found, for people who use the page alone.
ADVICE = {
    "none": "Before you rely on the recall, certify it with the reading list.",
    "prevalence": "Keep the threshold, and certify the recall with the reading list. What an "
    "answer is worth changes with the prevalence.",
    "population": "Do not use this threshold here: certify another one with the reading list.",
}
_NO_ANSWER = {
    OUTLIER: "No answer: this does not look like a chest X-ray",
    LEFT_OUT: "No answer: this is no frontal chest X-ray",
}


def write_headline(answer, facts):
    """Write what the model answers, in a few words.

    Parameters
    ----------
    answer : Answer
        Of `answer_file`.
    facts : dict
        Of `collect_facts`.

    Returns
    -------
    str
    """
    if answer.outcome != PREDICTED:
        return _NO_ANSWER.get(answer.outcome, "No answer: this file cannot be read")
    if answer.triage is not None:
        positive = facts["positive"]
        return {
            "ruled out": f"{positive} ruled out by the model",
            "ruled in": f"{positive} ruled in by the model",
        }.get(answer.triage, "To be read: the model leaves this to a radiologist")
    return f"The model predicts {answer.label}"


def write_sentences(answer, facts, reference):
    """Write what an answer means.

    Parameters
    ----------
    answer : Answer
        Of `answer_file`.
    facts : dict
        Of `collect_facts`.
    reference : Bunch or None
        Scores that the model was made with.

    Returns
    -------
    list of str
        Empty without a prediction.
    """
    if answer.outcome != PREDICTED:
        return []
    sentences = [_compare_with_threshold(answer, facts)]
    if reference is not None:
        sentences += _compare_with_reference(answer, facts, reference)
    if not facts["is_certified_at_site"]:
        sentences.append(
            "None of this was measured at your hospital, where it may be wrong: check the site, or "
            "certify a threshold for it with the reading list."
        )
    return sentences


def _compare_with_threshold(answer, facts):
    low, high = facts["threshold"], facts["rule_in_threshold"]
    positive, number = facts["positive"], _format(answer.probability)
    sentence = f"Its probability of {positive} is {number}."
    if high is None:
        relation = "at least" if answer.label == positive else "below"
        return f"{sentence} That is {relation} the decision threshold, {_significant(low)}."
    return (
        f"{sentence} The model rules {positive} out below {_significant(low)}, and in from "
        f"{_significant(high)} on; what lies between is to be read."
    )


def _compare_with_reference(answer, facts, reference):
    y_true = np.asarray(reference.y_true, dtype=bool)
    y_score = np.asarray(reference.y_score)
    negative, positive = facts["classes"]
    above = float(np.mean(y_score[~y_true] >= answer.probability))
    below = float(np.mean(y_score[y_true] <= answer.probability))
    sentences = [
        f"Among the X-rays by which the threshold was chosen, {_describe_proportion(above)} of "
        f"those labelled {negative} score as high or higher, and {_describe_proportion(below)} of "
        f"those labelled {positive} as low or lower."
    ]
    if answer.triage == "to be read":
        return sentences
    has_this_answer = _select_equal_answers(answer, facts, y_score)
    is_positive = answer.triage == "ruled in" or (
        answer.triage is None and answer.label == positive
    )
    wrong, rows = (negative, ~y_true) if is_positive else (positive, y_true)
    meaning = (
        f"This does not show {positive.lower()}"
        if is_positive
        else f"This does not rule {positive.lower()} out"
    )
    errors = _describe_proportion(float(np.mean(has_this_answer[rows])))
    sentences.append(
        f"{meaning}: the model gave the same answer to {errors} of those labelled {wrong}."
    )
    return sentences


def _select_equal_answers(answer, facts, y_score):
    """Which of the reference scores lead to the answer."""
    low, high = facts["threshold"], facts["rule_in_threshold"]
    if answer.triage is None:
        is_above = y_score >= low
        return is_above if answer.label == facts["positive"] else ~is_above
    return y_score >= high if answer.triage == "ruled in" else y_score < low


def _describe_proportion(proportion):
    return percent(proportion, up=True) if proportion > 0 else "none"


def _significant(threshold):
    """Enough digits that a small threshold is not 0."""
    return f"{threshold:.3g}"


def _format(probability):
    """No probability is 0 or 1."""
    if probability >= 0.9995:
        return "above 0.999"
    return "below 0.001" if probability < 0.0005 else f"{probability:.3f}"
