"""TFLite: the operations of TensorFlow, the file, and its use."""

import io
import json
import zipfile

import numpy as np

from skpneumo.networks import quiet_start_up
from skpneumo.persistence._export._steps import apply_plan

# TensorFlow itself is always installed.
PACKAGES = ("ai_edge_litert.interpreter",)
# Name of the metadata in the ZIP archive at the end of the file.
METADATA_NAME = "skpneumo.json"


class TensorFlowOps:
    """Operations on tensors; maps have the shape (n, rows, columns, channels)."""

    def __init__(self):
        import tensorflow as tf

        self.tf = tf
        self.add, self.subtract = tf.add, tf.subtract
        self.multiply, self.divide = tf.multiply, tf.divide
        self.floor_divide = tf.math.floordiv
        self.maximum, self.minimum, self.abs = tf.maximum, tf.minimum, tf.abs
        self.exp, self.log = tf.exp, tf.math.log
        self.relu, self.sigmoid = tf.nn.relu, tf.sigmoid
        self.matmul, self.transpose, self.arange = tf.matmul, tf.transpose, tf.range

    def to_float(self, x):
        return self.tf.cast(x, "float32")

    def to_int(self, x):
        return self.tf.cast(x, "int32")

    def size(self, x, axis):
        return self.tf.shape(x)[axis]

    def column(self, x):
        return x[:, None]

    def sum_rows(self, x):
        return self.tf.reduce_sum(x, axis=0, keepdims=True)

    def min_columns(self, x):
        return self.tf.reduce_min(x, axis=1, keepdims=True)

    def flatten(self, x):
        return self.tf.reshape(x, (-1,))

    def to_rows(self, x, n_columns):
        return self.tf.reshape(x, (-1, n_columns))

    def to_maps(self, x, rows, columns):
        return self.tf.reshape(x, (-1, rows, columns, 1))

    def histogram(self, levels, n_levels):
        n = self.size(levels, 0)
        bins = self.flatten(levels + n_levels * self.column(self.tf.range(n)))
        ones = self.tf.ones_like(bins, "float32")
        counts = self.tf.math.unsorted_segment_sum(ones, bins, n * n_levels)
        return self.to_rows(counts, n_levels)

    def cumsum(self, x):
        return self.tf.cumsum(x, axis=1)

    def take(self, table, levels):
        return self.tf.gather(table, levels, axis=1, batch_dims=1)

    def convolve(self, x, kernel, strides, padding):
        padding = ((0, 0), *padding, (0, 0))
        return self.tf.nn.conv2d(x, kernel, strides, padding)

    def scale(self, x, scale, offset):
        return (x if scale is None else x * scale) + offset

    def pool_average(self, x, sides, strides, padding):
        return self.tf.nn.avg_pool2d(x, sides, strides, _name(padding))

    def pool_maximum(self, x, sides, strides, padding):
        return self.tf.nn.max_pool2d(x, sides, strides, _name(padding))

    def average_maps(self, x, keepdims):
        return self.tf.reduce_mean(x, axis=(1, 2), keepdims=keepdims)

    def concatenate(self, inputs):
        return self.tf.concat(inputs, axis=3)


def _name(padding):
    return "SAME" if np.any(padding) else "VALID"


def convert(plan, precision):
    """Make a TFLite model of a plan.

    Parameters
    ----------
    plan : Plan
        Of the estimator.
    precision : {"float32", "float16"}
        Type of the weights in the file.

    Returns
    -------
    bytes
    """
    with quiet_start_up():
        ops = TensorFlowOps()
        tf = ops.tf
        sides = plan.input_size or (None, None)
        images = tf.TensorSpec((None, *sides), "uint8", name="images")

        @tf.function(input_signature=[images], autograph=False)
        def predict(images):
            return {"probability": apply_plan(ops, plan, images)}

        module = tf.Module()
        module.predict = predict
        function = predict.get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
        if precision == "float16":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        return converter.convert()


def make_predictor(model):
    """Function from images to probabilities that runs a model in LiteRT."""
    from ai_edge_litert.interpreter import Interpreter

    with quiet_start_up():
        runner = Interpreter(model_content=model).get_signature_runner()
    return lambda images: runner(images=images)["probability"]


def add_metadata(model, metadata):
    """Contents of a file with the model, and a ZIP archive with texts by name as JSON behind it.

    That is where TFLite's own metadata are kept too: readers of the model ignore what follows it,
    and readers of archives what comes before.
    """
    file = io.BytesIO(model)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(METADATA_NAME, json.dumps(metadata, indent=1))
    return file.getvalue()
