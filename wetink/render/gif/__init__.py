"""Animated GIFs: countdowns joined from parts that are encoded once, and films from frames."""
