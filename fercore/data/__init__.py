"""Faces from files and from a program."""
