"""Leader algorithms by name."""

from paymaster.algorithms.ebpg import EBPG
from paymaster.algorithms.ebpg_config import EBPGConfig
from paymaster.algorithms.leaders import DEFAULT_LEADER, FIELD, LEADERS, ORIGINALS, LeaderKind, leader_kind
from paymaster.algorithms.original import OriginalLeader
from paymaster.algorithms.original_config import OriginalLearning
from paymaster.algorithms.protocol import LeaderAlgorithm, LeaderInput, LeaderStep

__all__ = [
    "DEFAULT_LEADER",
    "EBPG",
    "FIELD",
    "LEADERS",
    "ORIGINALS",
    "EBPGConfig",
    "LeaderAlgorithm",
    "LeaderInput",
    "LeaderKind",
    "LeaderStep",
    "OriginalLeader",
    "OriginalLearning",
    "leader_kind",
]
