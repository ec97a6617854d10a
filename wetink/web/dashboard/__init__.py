"""Dashboard: its pages, rendered on the server."""
