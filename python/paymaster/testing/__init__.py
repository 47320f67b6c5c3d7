"""Checks for what others build: :func:`check_world` plays a world of your own and names the first rule it breaks."""

from paymaster.testing.check_world import check_world

__all__ = ["check_world"]
