"""The games as Gymnasium environments: seen from the leader's side, and in two phases where followers learn."""

from paymaster.envs.single import LeaderEnv
from paymaster.envs.tasks import Task, make, make_vec, tasks
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.worlds.gymnasium_names import register_names

__all__ = ["LeaderEnv", "LeaderVectorEnv", "Task", "TwoPhaseVectorEnv", "make", "make_vec", "tasks"]

register_names()
