"""Leader algorithms by name."""

from paymaster.algorithms.ebpg import EBPG
from paymaster.algorithms.ebpg_config import EBPGConfig
from paymaster.algorithms.leaders import DEFAULT_LEADER, LEADERS, LeaderKind, leader_kind
from paymaster.algorithms.protocol import LeaderAlgorithm, LeaderInput, LeaderStep

__all__ = [
    "DEFAULT_LEADER",
    "EBPG",
    "LEADERS",
    "EBPGConfig",
    "LeaderAlgorithm",
    "LeaderInput",
    "LeaderKind",
    "LeaderStep",
    "leader_kind",
]
