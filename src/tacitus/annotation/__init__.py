"""Annotation: the markup that the corpus is written in, and the checks it must pass."""
