"""What packages share: arrays on disk, files, text, validation, estimators inside others."""
