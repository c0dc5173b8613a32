"""Setting up and running everything on one machine."""
