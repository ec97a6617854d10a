"""Signals: audiences, goals, conversions, attribution, reports and experiment statistics."""
