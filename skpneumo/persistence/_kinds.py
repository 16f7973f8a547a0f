"""What a model file may hold: classes by name, and what a fit leaves on each."""

import numpy as np
from imblearn.pipeline import Pipeline as SamplingPipeline
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from skpneumo.classifiers import CNNPneumoniaClassifier, InceptionPneumoniaClassifier
from skpneumo.model_selection import (
    FoldMeanClassifier,
    LogOddsMeanClassifier,
    OperatingPointClassifierCV,
)
from skpneumo.preprocessing import (
    XRayAugmenter,
    XRayLoader,
    XRayOutlierDetector,
    XRayOverSampler,
    XRayResizer,
)
from skpneumo.sites import (
    CertifiedClassifier,
    PrevalenceThresholdClassifier,
    TriageClassifierCV,
)

CLASSIFIERS = (CNNPneumoniaClassifier, InceptionPneumoniaClassifier)
STEPS = (XRayLoader, XRayResizer, XRayOutlierDetector, XRayAugmenter, XRayOverSampler)
# Those with a threshold of their own, which hold a fitted ``estimator_``.
OPERATING_POINTS = (
    OperatingPointClassifierCV,
    TriageClassifierCV,
    CertifiedClassifier,
    PrevalenceThresholdClassifier,
)
WRAPPERS = (*OPERATING_POINTS, FoldMeanClassifier)
MEANS = (FoldMeanClassifier, LogOddsMeanClassifier)
PIPELINES = {"Pipeline": Pipeline, "SamplingPipeline": SamplingPipeline}
STEP_NAMES = tuple(kind.__name__ for kind in STEPS)
BY_NAME = {kind.__name__: kind for kind in (*CLASSIFIERS, *STEPS, *WRAPPERS, *MEANS)}
# Folders and ways of computing belong to the machine, not to the model; a folder of a file would
# be read from and written to.
NOT_SAVED = {"callbacks", "memory", "n_jobs", "verbose"}
LEARNT = {
    OperatingPointClassifierCV: {
        "best_threshold_": np.floating,
        "unit_": str,
        "recall_": float,
        "specificity_": float,
        "recall_lower_bound_": float,
        "specificity_lower_bound_": float,
        "n_positive_units_": int,
        "n_negative_units_": int,
        "images_per_patient_": float,
        "curve_": Bunch,
        "reference_": Bunch,
        "n_features_in_": int,
        "feature_names_in_": np.ndarray,
    },
    TriageClassifierCV: {
        "best_threshold_": np.floating,
        "rule_in_threshold_": np.floating,
        "confidence_of_each_": float,
        "unit_": str,
        "recall_": float,
        "specificity_": float,
        "recall_lower_bound_": float,
        "specificity_lower_bound_": float,
        "n_positive_units_": int,
        "n_negative_units_": int,
        "n_positive_ruled_out_": int,
        "n_negative_ruled_in_": int,
        "proportion_to_read_": float,
        "proportion_to_read_upper_bound_": float,
        "to_read_by_class_": np.ndarray,
        "to_read_by_class_upper_bound_": np.ndarray,
        "images_per_patient_": float,
        "curve_": Bunch,
        "reference_": Bunch,
        "n_features_in_": int,
        "feature_names_in_": np.ndarray,
    },
    CertifiedClassifier: {
        "best_threshold_": np.floating,
        "unit_": str,
        "recall_lower_bound_": float,
        "n_positive_units_": int,
        "images_per_patient_": float,
        "n_labelled_": int,
        "n_images_": int,
    },
    PrevalenceThresholdClassifier: {
        "best_threshold_": np.floating,
        "positive_rate_": float,
        "expected_recall_range_": tuple,
        "expected_specificity_range_": tuple,
        "unit_": str,
        "n_units_": int,
    },
    XRayOutlierDetector: {
        "mean_": np.ndarray,
        "components_": np.ndarray,
        "threshold_": float,
    },
}
OPTIONAL = {"n_features_in_", "feature_names_in_", "images_per_patient_", "reference_"}
# What files lack that were written before these names existed.
DEFAULT_PARAMS = {OperatingPointClassifierCV: {"refit": True}}
DEFAULT_LEARNT = {OperatingPointClassifierCV: {"images_per_patient_": np.nan}}
