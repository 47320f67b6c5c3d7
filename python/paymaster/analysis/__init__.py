"""Analysis: evaluate, inspect and draw trained leaders; intervals and tables."""
