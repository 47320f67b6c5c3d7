"""Training: from a configuration to a trained leader, with checkpoints to resume from."""
