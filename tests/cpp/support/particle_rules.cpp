#include "support/particle_rules.hpp"

#include <algorithm>
#include <cmath>

namespace paymaster::test {
namespace {

constexpr double kStep = 0.1;  // mpe2's dt

struct Point {
  double x = 0, y = 0;
  bool operator==(const Point&) const = default;
};

Point at(const double* pairs, int i) { return {pairs[2 * i], pairs[2 * i + 1]}; }

double apart(const Point& a, const Point& b) {
  const double x = a.x - b.x, y = a.y - b.y;
  return std::sqrt(x * x + y * y);
}

bool inside(const Point& p, double half) { return std::abs(p.x) <= half && std::abs(p.y) <= half; }

double half_width(const GameConfig& config) {
  if (config.own<ParticleConfig>().arena_half_width > 0) return config.own<ParticleConfig>().arena_half_width;
  return config.num_followers <= 4 ? 1 : std::sqrt(config.num_followers / 4.0);
}

double reach(const ParticleConfig& p) { return p.reach_distance > 0 ? p.reach_distance : p.body_size + p.target_size; }

bool too_fast(const Point& velocity, double limit) {
  return limit > 0 && apart(velocity, Point{}) > limit * (1 + 1e-9);
}

/// A prey is reflected at the border, as often as it takes.
double reflected(double x, double half) {
  if (std::abs(x) > half) x = std::fmod(x, 4 * half);
  while (x > half || x < -half) x = (x > 0 ? 2 * half : -2 * half) - x;
  return x;
}

/// Where goal i is when takers are looked for.
Point moved_goal(const PlayedStep& s, int i, double half) {
  Point p = at(s.before.goal_place, i);
  if (s.before.goal_velocity == nullptr) return p;
  const Point v = at(s.before.goal_velocity, i);
  return {reflected(p.x + v.x * kStep, half), reflected(p.y + v.y * kStep, half)};
}

/// One committed to the type first, then the nearest, then the lowest index; -1 if nobody with the skill is near.
int taker(const PlayedStep& s, int type, const Point& goal, const std::vector<int>& wanted) {
  int best = kNone;
  bool best_committed = false;
  for (int k = 0; k < s.config.num_followers; ++k) {
    const Point place = at(s.after.place, k);
    if (!s.has_skill(k, type) || apart(place, goal) >= reach(s.config.own<ParticleConfig>())) continue;
    if (s.config.own<ParticleConfig>().reach_by == "chosen" && wanted[static_cast<std::size_t>(k)] != type) continue;
    const bool committed = s.committed[k] && s.offer(k).goal == type;
    const bool nearer = best == kNone || apart(place, goal) < apart(at(s.after.place, best), goal);
    if (best != kNone && (committed == best_committed ? !nearer : best_committed)) continue;
    best = k;
    best_committed = committed;
  }
  return best;
}

std::string broken_rule_of_followers(const PlayedStep& s) {
  for (int k = 0; k < s.config.num_followers; ++k) {
    const Point p = at(s.before.place, k), v = at(s.before.velocity, k);
    const Point moved{p.x + v.x * kStep, p.y + v.y * kStep};
    if (!(at(s.after.place, k) == moved)) return of_follower("not where its velocity leads", k);
    if (too_fast(at(s.after.velocity, k), s.config.own<ParticleConfig>().body_max_speed))
      return of_follower("above top speed", k);
    if (s.after.action[k] != s.action[k]) return of_follower("the state holds another action", k);
  }
  return "";
}

/// Types that are on the field are reachable, and only those.
std::string broken_rule_of_types(const PlayedStep& s) {
  for (int g = 0; g < s.config.num_goals; ++g) {
    const auto* end = s.before.goal_type + s.config.own<ParticleConfig>().num_targets;
    const bool there = std::find(s.before.goal_type, end, g) != end;
    for (int k = 0; k < s.config.num_followers; ++k) {
      if ((s.distance_before[k * s.config.num_goals + g] != kNone) != there)
        return of_follower("what is on the field is reachable, and nothing else", k);
    }
  }
  return "";
}

std::string broken_rule_of_goal(const PlayedStep& s, int i, double half, const std::vector<int>& wanted, int& by) {
  const Point moved = moved_goal(s, i, half), now = at(s.after.goal_place, i);
  const int type = s.before.goal_type[i];
  const bool runs = s.before.goal_velocity != nullptr;
  by = taker(s, type, moved, wanted);
  if (!inside(now, half)) return "a goal outside the arena";
  if (by == kNone && (!(now == moved) || s.after.goal_type[i] != type)) return "a goal that nobody could take went";
  if (by != kNone && now == moved) return "a goal stayed though somebody with the skill was near";
  if (s.after.goal_type[i] < 0 || s.after.goal_type[i] >= s.config.num_goals) return "a goal of no type";
  if (!runs) return "";
  const Point v = at(s.after.goal_velocity, i);
  if (by != kNone && !(v == Point{})) return "a new prey that moves";
  if (too_fast(v, s.config.own<ParticleConfig>().target_max_speed)) return "a prey above top speed";
  const Point straight{at(s.before.goal_place, i).x + at(s.before.goal_velocity, i).x * kStep,
                       at(s.before.goal_place, i).y + at(s.before.goal_velocity, i).y * kStep};
  const bool holds = *s.before.step % s.config.own<ParticleConfig>().prey_hold != 0 && straight == moved;
  if (holds && s.after.goal_action[i] != s.before.goal_action[i]) return "a prey that does not hold its action";
  return "";
}

}  // namespace

std::string broken_rule_of_particles(const PlayedStep& s, std::vector<unsigned>& reached) {
  const double half = half_width(s.config);
  std::vector<int> wanted;
  for (int k = 0; k < s.config.num_followers; ++k) wanted.push_back(s.wanted_goal(k));
  reached.assign(wanted.size(), 0);
  if (const std::string broken = broken_rule_of_followers(s) + broken_rule_of_types(s); !broken.empty()) return broken;
  for (int i = 0; i < s.config.own<ParticleConfig>().num_targets; ++i) {
    int by = kNone;
    const std::string broken = broken_rule_of_goal(s, i, half, wanted, by);
    if (!broken.empty()) return broken + " (goal " + std::to_string(i) + ")";
    if (by != kNone) reached[static_cast<std::size_t>(by)] |= 1u << s.before.goal_type[i];
  }
  for (int i = 0; i < s.config.own<ParticleConfig>().num_obstacles; ++i) {
    const Point now = at(s.after.obstacle_place, i);
    if (!(now == at(s.before.obstacle_place, i))) return "an obstacle moved";
    if (!inside(now, 0.9 * half)) return "an obstacle too near the border";
  }
  return "";
}

}  // namespace paymaster::test
