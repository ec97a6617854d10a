"""Animated GIFs: countdowns that are joined from parts encoded before, and films from frames."""
