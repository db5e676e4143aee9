"""Measures what the agents, the rules and a model come to together. Never deployed.

``./frontdesk eval SUITE`` runs a suite; docs/evals.md explains the suites and their figures.
"""
