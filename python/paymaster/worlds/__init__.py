"""Worlds of your own, in Python: a class over NumPy arrays of B games becomes a task that works by name everywhere."""

from paymaster.worlds.draws import Draws
from paymaster.worlds.errors import WorldError
from paymaster.worlds.parameter import Parameter
from paymaster.worlds.registration import load_task, register
from paymaster.worlds.world import Move, Moved, World

__all__ = ["Draws", "Move", "Moved", "Parameter", "World", "WorldError", "load_task", "register"]
