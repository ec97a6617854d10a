"""Text: URLs, links, placeholders and characters as people and programs write them."""
