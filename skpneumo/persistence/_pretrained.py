"""The networks that come with the package, as estimators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sklearn.pipeline import Pipeline

from skpneumo._utils.model_file import pretrained_path
from skpneumo.persistence._models import load_model

if TYPE_CHECKING:

    class PretrainedPipeline(Pipeline):
        """What a type checker is to know of the pipeline: its steps are no pipelines."""

        def __getitem__(self, ind: Any) -> Any: ...


def load_pretrained(
    name: Literal["mean", "cnn", "inception"] = "mean", *, min_recall: float | None = None
) -> PretrainedPipeline:
    """Load a network that comes with the package, already trained.

    Parameters
    ----------
    name : {"mean", "cnn", "inception"}, default="mean"
        "cnn": a `~skpneumo.CNNPneumoniaClassifier` for 96 x 96 pixels, which is small and fast.
        "inception": an `~skpneumo.InceptionPneumoniaClassifier` for 150 x 150 pixels, which keeps
        more of its specificity at another hospital. "mean": the mean of the log odds of both, a
        `~skpneumo.model_selection.LogOddsMeanClassifier`, which separates best in either place. Its
        probabilities are for a prevalence of 25 %. The page "Models" of the user guide compares
        them.
    min_recall : float, default=None
        Recall of patients to certify, by the out-of-fold scores of the training: a lower one gives
        a higher threshold. None leaves the threshold of the package.

    Returns
    -------
    estimator
        A fitted :class:`~sklearn.pipeline.Pipeline` that takes paths or arrays. Its first step is
        an `~skpneumo.XRayOutlierDetector`, its last one an `~skpneumo.OperatingPointClassifierCV`,
        whose threshold has a certified recall of at least 98 % ("cnn") or 92 % of the patients,
        with a confidence of approximately 95 %: for patients like those in its training data. To
        train a network further, pass ``weights="pretrained"`` to its class.

    Raises
    ------
    ModelFileError
        If there is none of this name. It is a ValueError.
    ValueError
        If ``min_recall`` cannot be certified.

    See Also
    --------
    skpneumo.OperatingPointClassifierCV.set_operating_point : What chooses the threshold.
    skpneumo.persistence.pretrained_path : Its file, for `~skpneumo.persistence.model_card`, which
        states data, licence, recipe and metrics.

    Notes
    -----
    They were trained on X-rays of children one to five years old from the Guangzhou Women and
    Children's Medical Center [1]_, licensed CC BY 4.0, labelled pneumonia or normal; InceptionV3
    was pretrained on ImageNet and another collection of photographs. The data hold no other
    hospital, no adults, no other disease and no mirrored images; the detector does not warn of
    mirrored ones. No network is a medical device: it must not decide about a patient, and its
    threshold should be selected again on a sample of the hospital that studies it.

    They were trained on files, and large files are decoded at a reduced size. Arrays of the same
    images are not reduced, so that their predictions differ slightly: by .11 in log odds of the
    CNN on average for images of 224 x 224 pixels.

    References
    ----------
    .. [1] Kermany, Zhang & Goldbaum, "Labeled Optical Coherence Tomography (OCT) and Chest X-Ray
       Images for Classification", Mendeley Data, 2018, doi:10.17632/rscbjbr9sj.2.

    Examples
    --------
    >>> from skpneumo import load_pretrained
    >>> model = load_pretrained("cnn")
    >>> bool(model[-1].recall_lower_bound_ >= 0.98)
    True
    >>> model.classes_.tolist()
    ['NORMAL', 'PNEUMONIA']
    """
    model = load_model(pretrained_path(name))
    if min_recall is not None:
        model[-1].set_operating_point(min_recall=min_recall)
    return model
