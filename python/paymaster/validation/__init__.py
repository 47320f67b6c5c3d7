"""Validation: checks of arguments, settings and files; every error names what was expected and what came."""
