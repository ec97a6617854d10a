"""Content: the folder of blocks, templates and images that a marketer edits."""
