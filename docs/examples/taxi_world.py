"""Drivers on a small graph of zones: passengers wait, drivers earn fares for a ride, and the platform a commission."""

from __future__ import annotations

import numpy as np

import paymaster
from paymaster import Draws, Move, Moved, Parameter

STAY, NEXT, BACK, ACROSS = range(4)
RED, INK, PAPER = (199, 82, 42), (40, 40, 40), (246, 244, 239)


class Taxi(paymaster.World):
    """Taxi drivers: zones on a ring with a bridge across, each a goal type; zone 0 is the busiest."""

    num_actions = 4
    most_available = 3
    parameters = {
        "demand": Parameter(
            0.6, "probability that a passenger comes to zone 0 in a step; zone g has 1 / (g + 1) of it", 0, 1
        ),
        "fare": Parameter(0.8, "what a driver earns for a passenger", 0, 100),
        "commission": Parameter(0.2, "what the platform earns for a passenger", 0, 100),
        "fuel": Parameter(0.05, "what a driver pays for a drive between zones", 0, 100),
    }

    def setup(self) -> None:
        zones = self.num_goals
        self.array("zone", (self.num_followers,), meaning="where each driver is", high=zones - 1)
        self.array("waiting", (zones,), meaning="passengers in each zone", high=self.most_available)
        self.to = (np.arange(zones)[:, None] + [0, 1, -1, zones // 2]) % zones  # [zone, action] -> zone
        self.hops = np.full((zones, zones), zones)  # from, to
        self.hops[np.arange(zones), np.arange(zones)] = 0
        for _ in range(zones):
            self.hops = np.minimum(self.hops, 1 + self.hops[self.to].min(1))
        self.first = self.hops[self.to].argmin(1)  # [from, to] -> action: the first of the shortest ways
        self.chance = self.parameters["demand"] / (1 + np.arange(zones))

    def reset(self, games: np.ndarray, draws: Draws) -> None:
        self.zone[games] = draws.below(self.num_goals, self.num_followers)[games]
        self.waiting[games] = draws.below(self.most_available, self.num_goals)[games]

    def distance(self) -> np.ndarray:
        return np.where(self.waiting[:, None] > 0, np.maximum(self.hops[self.zone] - 1, 0), -1)

    def available(self) -> np.ndarray:
        return self.waiting

    def plan(self, chosen: np.ndarray) -> np.ndarray:
        return np.where(chosen < 0, STAY, self.first[self.zone, chosen])

    def move(self, step: Move) -> Moved:
        there = self.to[self.zone, step.action]
        able = (there[:, :, None] == np.arange(self.num_goals)) & step.skill & step.playing[:, None, None]
        picked = able & (able.cumsum(1) <= self.waiting[:, None])  # the first drivers, one passenger each
        come = step.draws.unit(self.num_goals) < self.chance
        left = np.minimum(self.waiting - picked.sum(1) + come, self.most_available)
        self.zone = np.where(step.playing[:, None], there, self.zone)
        self.waiting = np.where(step.playing[:, None], left, self.waiting)
        p = self.parameters
        earned = p["fare"] * picked.any(2) - p["fuel"] * (step.action != STAY)
        return Moved(picked, earned, p["commission"] * picked.sum((1, 2)))

    @staticmethod
    def draw(canvas, box, state, parameters) -> None:
        x, y, side = box
        zones = len(state["waiting"])
        turn = 2 * np.pi * np.arange(zones) / zones - np.pi / 2
        at = np.stack((x + side * (0.5 + 0.35 * np.cos(turn)), y + side * (0.5 + 0.35 * np.sin(turn))), -1)
        for a in range(zones):
            for b in ((a + 1) % zones, (a + zones // 2) % zones):
                canvas.line([tuple(at[a]), tuple(at[b])], INK, 2)
        for g, (left, top) in enumerate(at):
            canvas.circle(left, top, 34, PAPER, INK, 2)
            canvas.text(left, top - 12, f"{chr(97 + g)}: {state['waiting'][g]}", 16, INK, "mm")
            here = np.flatnonzero(state["zone"] == g)
            canvas.text(left, top + 12, " ".join(map(str, here)), 16, RED, "mm")
