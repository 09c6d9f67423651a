"""The pages: one module a page, one package where a page has several parts."""
