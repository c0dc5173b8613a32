"""Titles, the words they are sorted by, and the places where editors put them forward."""
