"""Data sets: the catalogue, downloading, loading as tensors, augmentation, and learners' drawings."""
