"""Playing: episodes in which environments, leaders and learning followers meet, and their records."""
