"""Runs that were made: what is kept of each, where, and as which rows and arrays."""
