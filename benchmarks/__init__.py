"""Measurements behind the claims in the documents; each is a program."""
