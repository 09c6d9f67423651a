"""The pages: a module for each page, or a package for a page with several parts."""
