"""The Train page: choosing data, network and settings, watching a run, exporting and importing runs."""
