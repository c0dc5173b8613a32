"""Tables from outside become creators, titles and past sales: read safely, checked whole, written whole."""
