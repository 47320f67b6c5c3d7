"""An independent, slow implementation of the grid world's rules, to check the C++ core against.

Written from the rules alone (tasks.md), in NumPy and plain Python, to be read beside them:

    draws            the counter-based generator
    rules            codes, parameters, presets
    grid_map         walls and neighbours
    population       followers' traits, and the draw of an episode's followers
    planner          breadth-first search
    contract         decision; record of a step for the statistics
    statistics       history statistics
    grid_reference   one game: reset and step
    crafting_reference  the same of the crafting world
    batch            B games and their shared table, with paymaster's names
    features         what a leader sees of an observation as numbers; of the worlds in the plane, too

and tools for tests, which know no rules:

    scenes           situations drawn as text
    random_states    random legal states and offers
    lockstep         step two environments side by side and compare everything
"""

from __future__ import annotations

from .batch import ReferenceBatch
from .grid_reference import GameState, ReferenceGame
from .rules import PRESETS, Rules
from .statistics import ReferenceStatistics

__all__ = ["PRESETS", "GameState", "ReferenceBatch", "ReferenceGame", "ReferenceStatistics", "Rules"]
