"""Scores with intervals, calibration and reports."""
