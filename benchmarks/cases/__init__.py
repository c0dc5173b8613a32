"""One module per kind of work: what is measured, and what it is measured against."""
