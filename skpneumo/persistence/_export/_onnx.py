"""ONNX: operations that add nodes to a graph, the file, and its use."""

import numpy as np

from skpneumo.persistence._export._steps import apply_plan

# Imported in functions, as only exporting needs them.
PACKAGES = ("onnx", "onnxruntime")
# Of 2022, which all runtimes in use read.
_OPSET = 18
_IR_VERSION = 8


class OnnxOps:
    """Operations on names of tensors; maps have the shape (n, channels, rows, columns).

    Parameters
    ----------
    precision : {"float32", "float16"}
        Type of the weights in the file.
    """

    def __init__(self, precision):
        import onnx

        self.onnx = onnx
        self.precision = precision
        self.nodes, self.constants = [], []

    def node(self, op, *inputs, **attributes):
        """Add a node; return the name of its result."""
        name = f"{op}_{len(self.nodes)}"
        names = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        self.nodes.append(self.onnx.helper.make_node(op, names, [name], name, **attributes))
        return name

    def constant(self, array):
        """Add a constant; return its name."""
        name = f"constant_{len(self.constants)}"
        array = np.asarray(array)
        # Small ones would save nothing, and the operations on pixels must be exact.
        rounded = self.precision == "float16" and array.dtype == np.float32 and array.ndim > 1
        stored = array.astype(np.float16) if rounded else array
        self.constants.append(self.onnx.numpy_helper.from_array(stored, name))
        return self.node("Cast", name, to=self._type("FLOAT")) if rounded else name

    def _type(self, name):
        return getattr(self.onnx.TensorProto, name)

    def to_float(self, x):
        return self.node("Cast", x, to=self._type("FLOAT"))

    def to_int(self, x):
        return self.node("Cast", x, to=self._type("INT32"))

    def add(self, x, y):
        return self.node("Add", x, y)

    def subtract(self, x, y):
        return self.node("Sub", x, y)

    def multiply(self, x, y):
        return self.node("Mul", x, y)

    def divide(self, x, y):
        return self.node("Div", x, y)

    # Of integers that are not negative.
    floor_divide = divide

    def maximum(self, x, y):
        return self.node("Max", x, y)

    def minimum(self, x, y):
        return self.node("Min", x, y)

    def abs(self, x):
        return self.node("Abs", x)

    def exp(self, x):
        return self.node("Exp", x)

    def log(self, x):
        return self.node("Log", x)

    def relu(self, x):
        return self.node("Relu", x)

    def sigmoid(self, x):
        return self.node("Sigmoid", x)

    def matmul(self, x, y):
        return self.node("MatMul", x, y)

    def transpose(self, x):
        return self.node("Transpose", x, perm=[1, 0])

    def size(self, x, axis):
        n = self.node("Shape", x, start=axis, end=axis + 1)
        return self.to_int(self.node("Squeeze", n, np.array([0])))

    def arange(self, n):
        return self.node("Range", np.int32(0), n, np.int32(1))

    def column(self, x):
        return self.node("Unsqueeze", x, np.array([1]))

    def sum_rows(self, x):
        return self.node("ReduceSum", x, np.array([0]), keepdims=1)

    def min_columns(self, x):
        return self.node("ReduceMin", x, np.array([1]), keepdims=1)

    def flatten(self, x):
        return self.node("Reshape", x, np.array([-1]))

    def to_rows(self, x, n_columns):
        return self.node("Reshape", x, np.array([-1, n_columns]))

    def to_maps(self, x, rows, columns):
        return self.node("Reshape", x, np.array([-1, 1, rows, columns]))

    def histogram(self, levels, n_levels):
        n = self.node("Shape", levels, start=0, end=1)
        shape = self.node("Concat", n, np.array([n_levels]), axis=0)
        zeros = self.node("Expand", np.zeros((1, 1), np.float32), shape)
        ones = self.node("Expand", np.ones((1, 1), np.float32), self.node("Shape", levels))
        return self.node("ScatterElements", zeros, levels, ones, axis=1, reduction="add")

    def cumsum(self, x):
        return self.node("CumSum", x, np.array(1))

    def take(self, table, levels):
        return self.node("GatherElements", table, levels, axis=1)

    def convolve(self, x, kernel, strides, padding):
        kernel = np.transpose(kernel, (3, 2, 0, 1))
        return self.node("Conv", x, kernel, **_windows(kernel.shape[2:], strides, padding))

    def scale(self, x, scale, offset):
        if scale is not None:
            x = self.multiply(x, scale.reshape(-1, 1, 1))
        return self.add(x, offset.reshape(-1, 1, 1))

    def pool_average(self, x, sides, strides, padding):
        return self.node("AveragePool", x, **_windows(sides, strides, padding))

    def pool_maximum(self, x, sides, strides, padding):
        return self.node("MaxPool", x, **_windows(sides, strides, padding))

    def average_maps(self, x, keepdims):
        return self.node("ReduceMean", x, np.array([2, 3]), keepdims=int(keepdims))

    def concatenate(self, inputs):
        return self.node("Concat", *inputs, axis=1)


def _windows(sides, strides, padding):
    (top, bottom), (left, right) = padding
    return {
        "kernel_shape": list(sides),
        "strides": list(strides),
        "pads": [top, left, bottom, right],
    }


def convert(plan, precision):
    """Make an ONNX model of a plan.

    Parameters
    ----------
    plan : Plan
        Of the estimator.
    precision : {"float32", "float16"}
        Type of the weights in the file.

    Returns
    -------
    onnx.ModelProto
    """
    ops = OnnxOps(precision)
    helper, types = ops.onnx.helper, ops.onnx.TensorProto
    probability = apply_plan(ops, plan, "images")
    ops.nodes.append(helper.make_node("Identity", [probability], ["probability"]))
    sides = plan.input_size or ("rows", "columns")
    graph = helper.make_graph(
        ops.nodes,
        "skpneumo",
        [helper.make_tensor_value_info("images", types.UINT8, ["n", *sides])],
        [helper.make_tensor_value_info("probability", types.FLOAT, ["n"])],
        ops.constants,
    )
    opset = helper.make_opsetid("", _OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)
    ops.onnx.checker.check_model(model)
    return model


def make_predictor(model):
    """Function from images to probabilities that runs a model in onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return lambda images: session.run(["probability"], {"images": images})[0]


def add_metadata(model, metadata):
    """Contents of a file with the model and texts by name, as ``metadata_props``."""
    import onnx

    onnx.helper.set_model_props(model, metadata)
    model.producer_name, model.producer_version = "skpneumo", metadata["skpneumo_version"]
    model.doc_string = metadata["notice"]
    return model.SerializeToString()
