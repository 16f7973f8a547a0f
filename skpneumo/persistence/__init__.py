"""Fitted models as files that cannot run code."""

from skpneumo.persistence._card import model_card
from skpneumo.persistence._models import load_model, save_model

__all__ = ["load_model", "model_card", "save_model"]
