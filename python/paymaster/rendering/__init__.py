"""Pictures and films of episodes. Needs no window; knows states and options, not environments."""

from paymaster.rendering.film import write_film
from paymaster.rendering.frame import draw_frame
from paymaster.rendering.record import EpisodeRecord, Step

__all__ = ["EpisodeRecord", "Step", "draw_frame", "write_film"]
