"""Content: blocks, the gallery, templates, media, scenarios and versions."""
