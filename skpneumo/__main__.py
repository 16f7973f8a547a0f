"""``python -m skpneumo``."""

from skpneumo.cli import main

main()
