"""Every staff screen: one folder per area, one file per noun."""
