"""What the ``paymaster`` command can do, a command a file. Heavy imports wait until a command runs."""
