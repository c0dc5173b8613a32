"""The endpoints of the fake, one module per noun; `ROUTES` are (method, path pattern, handler)."""
