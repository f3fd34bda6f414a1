"""Recipe → Trainer → checkpoint, with calibration and a model card."""
