"""Chooses each leader's settings: `python bench/tuned.py`, from leaders/tuning.jsonl into the package's tuned.json.

Only settings that were tried for every leader on every game and seed there count, so that all have had the same choice;
of these each leader gets the one with the highest gain as a share of full_information's, mean over games and seeds.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from statistics import mean

from leaders import Job, configuration, of_games, told
from rows import stored

from paymaster.algorithms import tuned

HERE = Path(__file__).parent / "leaders"
Settings = tuple[str, ...]


def in_full(job: Job, names: list[str]) -> Settings:
    """The learner's settings of these names, its own defaults included: rows name departures from those only."""
    learner = configuration(job).learner
    return tuple(f"{name}={getattr(learner, name)}" for name in names)


def split(settings: Settings) -> list[tuple[str, str]]:
    """Names and values."""
    return [(name, value) for name, _, value in (some.partition("=") for some in settings)]


def shares(path: Path) -> dict[str, dict[Settings, dict[tuple[str, int], float]]]:
    """Leader -> settings -> (game, seed) -> sampled gain over full_information's."""
    out: dict[str, dict[Settings, dict[tuple[str, int], float]]] = defaultdict(lambda: defaultdict(dict))
    jobs = [(Job.of(row), row) for row in stored(path)]
    names = sorted({some.partition("=")[0] for job, _ in jobs for some in job.settings})
    for job, row in jobs:
        out[job.leader][in_full(job, names)][job.game, job.seed] = row["gain"] / told(of_games(job))
    return out


def main() -> None:
    tried = shares(HERE / "tuning.jsonl")
    cases = {case for of in tried.values() for runs in of.values() for case in runs}
    whole = [{settings for settings, runs in of.items() if runs.keys() == cases} for of in tried.values()]
    common = sorted(set.intersection(*whole))
    print("| leader |", " | ".join(" ".join(settings) for settings in common), "|")
    print("| --- |", " | ".join("---" for _ in common), "|")
    chosen: dict[str, Settings] = {}
    for leader, of in tried.items():
        means = {settings: mean(of[settings].values()) for settings in common}
        chosen[leader] = max(means, key=lambda settings: means[settings])
        print(f"| {leader} |", " | ".join(f"{means[settings]:.0%}" for settings in common), "|")
    named = {leader: {name: json.loads(value) for name, value in split(of)} for leader, of in chosen.items()}
    (Path(tuned.__file__).parent / tuned.TUNED).write_text(json.dumps(named, indent=2) + "\n")


if __name__ == "__main__":
    main()
