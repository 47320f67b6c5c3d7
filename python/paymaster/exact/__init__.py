"""Exact answers of small games, to check leaders against: they need no training and no torch."""

from paymaster.exact.best_play import BestPlay, all_offers, try_everything
from paymaster.exact.bounds import episode_bounds, upper_bound
from paymaster.exact.coin_plan import CoinPlan, coin_plan
from paymaster.exact.commitment import Commitment, best_commitment
from paymaster.exact.contract_tree import ContractTrees, TreeEquilibrium, draw_trees, tree_equilibrium
from paymaster.exact.implementation import Promises, best_implementation, implement

__all__ = [
    "BestPlay",
    "CoinPlan",
    "Commitment",
    "ContractTrees",
    "Promises",
    "TreeEquilibrium",
    "all_offers",
    "best_commitment",
    "best_implementation",
    "coin_plan",
    "draw_trees",
    "episode_bounds",
    "implement",
    "tree_equilibrium",
    "try_everything",
    "upper_bound",
]
