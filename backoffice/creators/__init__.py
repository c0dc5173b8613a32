"""Creators: applications, identity documents, verification, and the creator's own record."""
