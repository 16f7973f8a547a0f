"""Fitted models as files that cannot run code."""

from skpneumo._utils.model_file import is_model_file, pretrained_path
from skpneumo.persistence._card import model_card
from skpneumo.persistence._export import export_onnx, export_tflite
from skpneumo.persistence._models import load_model, save_model
from skpneumo.persistence._pretrained import load_pretrained

__all__ = [
    "export_onnx",
    "export_tflite",
    "is_model_file",
    "load_model",
    "load_pretrained",
    "model_card",
    "pretrained_path",
    "save_model",
]
