"""How much of a dataset is held in memory."""

# Images are decoded once if all of them fit, else again each time they are read.
MAX_DECODED_BYTES = 2 * 2**30
