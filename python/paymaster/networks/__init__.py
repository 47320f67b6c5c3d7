"""The leader's modules, one per file, named as in the paper (Sec. 4.2 and Fig. 1)."""

from paymaster.networks.attention import FollowerAttention
from paymaster.networks.baselines import TwoHeadedBaseline
from paymaster.networks.follower_model import FollowerModel
from paymaster.networks.history_encoder import HistoryEncoder
from paymaster.networks.leader import LeaderConfig, LeaderNetwork, LeaderOutput
from paymaster.networks.leader_policy import OfferPolicy, UnsharedOfferPolicy
from paymaster.networks.state_encoder import (
    OfferEmbedding,
    StateEncoder,
    UnsharedStateEncoder,
    offered_goal,
)
from paymaster.networks.termination import TerminationFunction

__all__ = [
    "FollowerAttention",
    "FollowerModel",
    "HistoryEncoder",
    "LeaderConfig",
    "LeaderNetwork",
    "LeaderOutput",
    "OfferEmbedding",
    "OfferPolicy",
    "StateEncoder",
    "TerminationFunction",
    "TwoHeadedBaseline",
    "UnsharedOfferPolicy",
    "UnsharedStateEncoder",
    "offered_goal",
]
