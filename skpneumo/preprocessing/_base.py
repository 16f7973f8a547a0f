"""The base of the transformers of X-rays."""

from sklearn.base import BaseEstimator, TransformerMixin

from skpneumo._utils.documentation import DocumentationLink


def tag_images(input_tags):
    """State that the input is a batch of images or a list of paths, not a table."""
    input_tags.one_d_array = True
    input_tags.two_d_array = False
    input_tags.three_d_array = True
    input_tags.string = True
    input_tags.positive_only = True


class XRayTransformer(DocumentationLink, TransformerMixin, BaseEstimator):
    """Base of transformers of images, most of which learn nothing from them.

    Without ``get_feature_names_out`` scikit-learn offers no ``set_output`` here: images cannot
    be the columns of a data frame.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = ["uint8"]
        tag_images(tags.input_tags)
        return tags
