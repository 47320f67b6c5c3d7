"""Storage: a run directory's files, each written atomically and verified when it is read."""
