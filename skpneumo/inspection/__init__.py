"""Looking into a classifier: heatmaps, and figures in the manner of scikit-learn."""
