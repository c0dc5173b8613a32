"""Demo data: a platform that looks lived in, made by calling the services. Installed in demo settings only."""
