"""What several pages share: errors, the choice of device, lists of runs, scripts."""
