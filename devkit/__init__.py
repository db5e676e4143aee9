"""What stands in for Azure on a laptop. Never deployed, and imported by entrypoints.cli alone."""
