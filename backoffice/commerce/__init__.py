"""What people buy: purchases of titles."""
