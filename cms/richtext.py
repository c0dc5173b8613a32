"""What editors may use in running text: structure and links, nothing that loads from elsewhere."""

from typing import Final

FEATURES: Final = ["h2", "h3", "bold", "italic", "ol", "ul", "hr", "link"]
