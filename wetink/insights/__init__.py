"""Insights: reports, experiment results, trends, and the health of a process."""
