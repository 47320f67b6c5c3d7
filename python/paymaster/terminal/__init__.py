"""Text for people: tables and lines that fit any terminal, pipe or encoding."""
