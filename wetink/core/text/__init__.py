"""Text: addresses, links, placeholders and characters as people and programs write them."""
