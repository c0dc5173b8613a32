"""Dates and numbers in the languages for which Django has none (FORMAT_MODULE_PATH)."""
