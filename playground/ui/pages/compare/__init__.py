"""The Compare page: runs side by side, and starting a race."""
