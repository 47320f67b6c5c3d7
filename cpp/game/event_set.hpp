// The event sets of the paper's Section 4.1, out of a log of the leader's actions: the universal set
// U_T = {e^k_t = (t, omega^k_t)} of all offers made, the new actions A_T = {e^k_t : omega^k_t != omega^k_{t-1}} among
// them, and the options they start: offer omega^k_t lasts from its event to the next of the same follower, or to the
// end of the episode. At t = 0 every option starts, since omega_{-1} is no offer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace paymaster {

/// T steps of B games with N followers; arrays of the log are [T, B, N], time first.
struct LogShape {
  std::size_t steps, games, followers;

  std::size_t columns() const { return games * followers; }
  std::size_t size() const { return steps * columns(); }
};

/// Which events there are and how long they last. The arrays are the set's own and stay where they are until it is
/// gone.
class EventSet {
 public:
  /// Reads a log once. Offers are compared as they are, but for "none": with `num_goals` = G the goal G is no goal, its
  /// bonus is disregarded, and goals above G or below 0 in steps played are refused (std::invalid_argument).
  /// actions (goal, bonus) [T, B, N, 2]; lengths [B], steps played, each in [0, T]; T N < 2^31, B < 2^31.
  template <class Integer>
  EventSet(const Integer* actions, const std::int32_t* lengths, LogShape shape, std::optional<std::int32_t> num_goals);

  LogShape shape() const { return shape_; }
  const bool* is_new() const { return is_new_.get(); }      // [T, B, N] e^k_t is in A_T; false where not played
  const std::int32_t* index() const { return log_.get(); }  // [T, B, N] event of the step, by game and follower
  const std::int32_t* count() const { return index() + shape_.size(); }              // [B, N] |A_T| of a follower
  const std::int32_t* count_per_game() const { return count() + shape_.columns(); }  // [B] |A_T| of an episode

  /// |A_T| of all games, E. Events come in the order of game, follower, time.
  std::size_t events() const { return events_; }
  const std::int32_t* game() const { return event_.get(); }                // [E]
  const std::int32_t* follower() const { return game() + events_; }        // [E]
  const std::int32_t* start() const { return follower() + events_; }       // [E] t of the event
  const std::int32_t* option_length() const { return start() + events_; }  // [E] steps the offer lasts, at least 1

 private:
  template <class Integer>
  void mark(const Integer* actions, const std::int32_t* limit, std::optional<std::int32_t> num_goals);
  void list(const std::int32_t* limit);

  LogShape shape_;
  std::unique_ptr<bool[]> is_new_;
  std::unique_ptr<std::int32_t[]> log_, event_;
  std::size_t events_ = 0;
};

}  // namespace paymaster
