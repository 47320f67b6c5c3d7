"""Features: what the networks of the leader and of the followers see of a game, as NumPy arrays of float32."""
