"""The routes that components call, a module for each subject."""
