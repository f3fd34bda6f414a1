"""The network (tensors only) and the decoding of its outputs (numpy only)."""
