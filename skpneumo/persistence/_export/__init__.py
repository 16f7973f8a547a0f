"""Fitted models as ONNX and TFLite files, written from one description of what they compute."""

from skpneumo.persistence._export._functions import export_onnx, export_tflite

__all__ = ["export_onnx", "export_tflite"]
