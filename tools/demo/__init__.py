"""Holdfast on one machine: the processes of `make up` and `make demo`, and the story that is played on them."""
