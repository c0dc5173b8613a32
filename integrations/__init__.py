"""Clients of outside services, one folder per vendor: the real client, its value types and a faithful fake.

Nothing here imports Django or the platform's own packages; callers hand in keys, addresses and times.
"""
