"""Transformers and a sampler for X-rays, as arrays or lazily from files."""

# Names that are not in __all__ are for the other packages of skpneumo.
from skpneumo.preprocessing._augmenter import XRayAugmenter
from skpneumo.preprocessing._loader import XRayLoader
from skpneumo.preprocessing._outliers import XRayOutlierDetector
from skpneumo.preprocessing._outliers import record_outlier_scores as record_outlier_scores
from skpneumo.preprocessing._over_sampler import XRayOverSampler
from skpneumo.preprocessing._resizer import XRayResizer

__all__ = ["XRayAugmenter", "XRayLoader", "XRayOutlierDetector", "XRayOverSampler", "XRayResizer"]
