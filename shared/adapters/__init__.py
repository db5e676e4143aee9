"""What stands behind the ports: Azure and its memory twins. Only ``bootstrap`` imports it."""
