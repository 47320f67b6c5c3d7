// The contract layer, one step at a time, with literal numbers: decision, start, completion, end, payment, rewards.
#include "game/contract.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <vector>

namespace paymaster::test {
namespace {

constexpr float kW = 5;  // the leader's reward for a completed contract

Economy economy_of(Payment rule) {
  GameConfig config;
  config.num_bonuses = 4;
  config.payment = rule == Payment::completion     ? "completion"
                   : rule == Payment::advance      ? "advance"
                   : rule == Payment::advance_once ? "advance_once"
                                                   : "outcome";
  return Economy(config);
}

constexpr int kNothing = kNone;

Follower follower(int preference, float reservation) {
  Follower f;
  f.identity = 7;
  f.preference = static_cast<std::uint8_t>(preference);
  f.reservation = reservation;
  return f;
}

Offer offer(int goal, int bonus) { return {static_cast<std::int8_t>(goal), static_cast<std::int8_t>(bonus)}; }

int decision(const Follower& f, Offer offered, std::initializer_list<int> reachable) {
  return decide(f, offered, static_cast<float>(offered.bonus + 1), [&](int goal) {
    for (const int g : reachable) {
      if (g == goal) return true;
    }
    return false;
  });
}

/// A follower's step: what it came to, and the event it left for the statistics.
struct Stepped {
  Outcome outcome;
  HistoryEvent event;
};

Stepped step(Follower& f, Payment rule, Offer offered, bool committed, int reached, bool last_step = false) {
  Stepped out;
  const float paid = sign_contract(f, offered, committed, true, economy_of(rule), out.event);
  out.outcome = settle_contract(f, reached == kNone ? 0u : 1u << reached, paid, economy_of(rule), last_step, out.event);
  return out;
}

void check_money(const Outcome& o, float payment, float leader, float follower_reward, float incentive) {
  CHECK(o.payment == payment);
  CHECK(o.leader_reward == leader);
  CHECK(o.follower_reward == follower_reward);
  CHECK(o.incentive == incentive);
}

}  // namespace

TEST_CASE("decide: the strict winner of u(g) = c [g = preference] + price [g = offered]") {
  const Follower f = follower(2, 2);                 // prefers type 2, which is worth 2 to it
  CHECK(decision(f, offer(1, 2), {1, 2}) == 1);      // 3 > 2
  CHECK(decision(f, offer(1, 1), {1, 2}) == 2);      // 2 = 2: a tie goes against the offer
  CHECK(decision(f, offer(1, 0), {1, 2}) == 2);      // 1 < 2
  CHECK(decision(f, offer(2, 0), {1, 2}) == 2);      // what it wants anyway
  CHECK(decision(f, offer(1, 0), {1}) == 1);         // its preferred type is out of reach
  CHECK(decision(f, offer(1, 3), {2}) == 2);         // the offered type is out of reach
  CHECK(decision(f, offer(2, 3), {1}) == kNothing);  // ... and nothing else is worth anything
  CHECK(decision(f, Offer{}, {1, 2}) == 2);          // no offer
  CHECK(decision(f, Offer{}, {1}) == kNothing);
  CHECK(decision(f, offer(1, 3), {}) == kNothing);
  CHECK(decision(follower(2, 0), offer(1, 0), {1, 2}) == 1);  // c = 0: its preference is worth nothing
  CHECK(decision(follower(2, 0), Offer{}, {1, 2}) == kNothing);
}

TEST_CASE("decide: an offer at price 0 is taken only by who goes for that goal anyway") {
  const auto takes = [](const Follower& f, Offer offered, bool prefers) {
    return decide(f, offered, 0.0f, [&](int goal) { return prefers || goal != f.preference; });
  };
  CHECK(takes(follower(2, 2), offer(2, 0), true) == 2);
  CHECK(takes(follower(2, 2), offer(1, 0), true) == 2);
  CHECK(takes(follower(2, 2), offer(1, 0), false) == kNothing);  // its preferred type is out of reach
  CHECK(takes(follower(2, 0), offer(2, 0), true) == kNothing);   // c = 0
}

TEST_CASE(
    "decide_by_taste: the best of what is worth more than nothing; a tie goes against the offer, then to the lowest") {
  const Follower f = [] {
    Follower someone = follower(2, 2);
    someone.identity = 1;
    return someone;
  }();
  const auto decision_of = [&](std::vector<float> utility, std::vector<float> cost, Offer offered, float price) {
    const auto rows = [](std::vector<float> row) {  // of members 0 and 1
      std::vector<float> both(4);
      both.insert(both.end(), row.begin(), row.end());
      return both;
    };
    const Population people(std::vector<Traits>(2), 4, {rows(utility), rows(cost), {}});
    const int distance[] = {3, 0, 1, -1};
    return decide_by_taste(f, offered, price, people, 4, [&](int goal) { return distance[goal]; });
  };
  const std::vector<float> nothing(4);
  CHECK(decision_of(nothing, nothing, Offer{}, 0) == 2);                     // c = 2
  CHECK(decision_of({2, 0, 0, 9}, nothing, Offer{}, 0) == 0);                // 2 = 2: the lowest; 3 is out of reach
  CHECK(decision_of({2, 0, 0, 0}, nothing, offer(0, 0), 0) == 2);            // a tie goes against the offer
  CHECK(decision_of({2, 0, 0, 0}, nothing, offer(0, 0), 0.25f) == 0);        // 2.25 > 2
  CHECK(decision_of(nothing, {0, 0, 1, 0}, Offer{}, 0) == kNothing);         // 2 - 1 (1 + 1) = 0
  CHECK(decision_of(nothing, {0, 0, 0.5f, 0}, offer(0, 0), 1) == 2);         // 1 = 1
  CHECK(decision_of(nothing, {0.5f, 0, 2, 0}, offer(0, 0), 2.25f) == 0);     // 2.25 - 0.5 (3 + 1) > 0
  CHECK(decision_of(nothing, {0.5f, 0, 2, 0}, offer(0, 0), 2) == kNothing);  // ... = 0
  CHECK(decision_of({0, -1, 0, 0}, nothing, offer(1, 0), 2.5f) == 2);        // 1.5 < 2
  CHECK(decision_of({0, -1, 0, 0}, nothing, offer(1, 0), 3.5f) == 1);
}

TEST_CASE("outcome rule: the bonus is paid when the goal is reached, committed or not") {
  Follower f = follower(3, 1);
  check_money(step(f, Payment::outcome, offer(0, 1), true, kNone).outcome, 0, 0, 0, 0);
  check_money(step(f, Payment::outcome, offer(0, 1), true, 0).outcome, 2, kW - 2, 2, 2);
  const Stepped s = step(f, Payment::outcome, offer(0, 1), false, 0);
  check_money(s.outcome, 2, kW - 2, 2, 2);
  CHECK(s.outcome.completed == 0);
  CHECK_FALSE(s.event.completed);  // it had no contract: the statistics are of contracts
  check_money(step(f, Payment::outcome, offer(0, 1), false, 1).outcome, 0, 0, 0, 0);
  check_money(step(f, Payment::outcome, Offer{}, false, 0).outcome, 0, 0, 0, 0);
  check_money(step(f, Payment::completion, offer(0, 1), false, 0).outcome, 0, 0, 0, 0);
}

TEST_CASE("completion rule: the bonus is paid when the goal is reached, and only then") {
  Follower f = follower(3, 1);
  Stepped s = step(f, Payment::completion, offer(0, 1), true, kNone);
  check_money(s.outcome, 0, 0, 0, 0);
  CHECK(f.contract_running);
  CHECK(f.contract_age == 1);
  s = step(f, Payment::completion, offer(0, 1), true, kNone);
  CHECK(f.contract_age == 2);
  s = step(f, Payment::completion, offer(0, 1), true, 0);  // b = 1 pays 2
  check_money(s.outcome, 2, kW - 2, 2, 2);
  CHECK(s.outcome.completed == 0);
  CHECK(f.completed == 0);
  CHECK_FALSE(f.contract_running);
  CHECK(f.contract_age == 0);
  s = step(f, Payment::completion, offer(0, 1), true, kNone);  // the same offer again: a new contract
  CHECK(f.completed == kNone);
  CHECK(f.contract_running);
  CHECK(f.contract_age == 1);
}

TEST_CASE("advance rule: the bonus is paid when a contract starts, whatever comes of it") {
  Follower f = follower(3, 1);
  check_money(step(f, Payment::advance, offer(0, 2), true, kNone).outcome, 3, -3, 3, 0);  // starts
  check_money(step(f, Payment::advance, offer(0, 2), true, kNone).outcome, 0, 0, 0, 0);   // runs
  check_money(step(f, Payment::advance, offer(0, 2), true, 0).outcome, 0, kW, 0, 3);      // completed
  check_money(step(f, Payment::advance, offer(0, 2), true, kNone).outcome, 3, -3, 3, 0);  // the next one
  check_money(step(f, Payment::advance, offer(1, 0), true, kNone).outcome, 1, -1, 1, 0);  // another offer
  check_money(step(f, Payment::advance, offer(1, 0), false, kNone).outcome, 0, 0, 0, 0);  // abandoned
  check_money(step(f, Payment::advance, offer(1, 0), true, 1).outcome, 1, kW - 1, 1, 1);  // taken up, done at once
}

TEST_CASE("advance_once rule: who drops a contract and takes the same offer up again is not paid again") {
  constexpr Payment once = Payment::advance_once;
  const Economy paid_once = economy_of(once);
  Follower f = follower(3, 1);
  CHECK(due_when_taken(f, offer(0, 2), paid_once) == 3);
  check_money(step(f, once, offer(0, 2), true, kNone).outcome, 3, -3, 3, 0);  // starts
  CHECK(due_when_taken(f, offer(0, 2), paid_once) == 0);
  for (int t = 0; t < 2; ++t) {
    check_money(step(f, once, offer(0, 2), false, kNone).outcome, 0, 0, 0, 0);
    CHECK(+f.dropped);
  }
  CHECK(due_when_taken(f, offer(0, 2), paid_once) == 0);
  CHECK(due_when_taken(f, offer(0, 2), economy_of(Payment::advance)) == 3);
  CHECK(due_when_taken(f, offer(0, 1), paid_once) == 2);
  check_money(step(f, once, offer(0, 2), true, kNone).outcome, 0, 0, 0, 0);  // taken up again
  CHECK_FALSE(+f.dropped);
  check_money(step(f, once, offer(0, 2), true, 0).outcome, 0, kW, 0, 3);      // completed
  check_money(step(f, once, offer(0, 2), false, kNone).outcome, 0, 0, 0, 0);  // refused: there was no contract to drop
  CHECK_FALSE(+f.dropped);
  check_money(step(f, once, offer(0, 2), true, kNone).outcome, 3, -3, 3, 0);  // the next one
  check_money(step(f, once, offer(0, 2), false, kNone).outcome, 0, 0, 0, 0);  // dropped
  check_money(step(f, once, offer(1, 0), false, kNone).outcome, 0, 0, 0, 0);  // another offer, refused
  check_money(step(f, once, offer(0, 2), true, kNone).outcome, 3, -3, 3, 0);  // made anew: paid for anew
  check_money(step(f, once, Offer{}, false, kNone).outcome, 0, 0, 0, 0);
  CHECK_FALSE(+f.dropped);
}

TEST_CASE("a goal counts for the leader only if the follower was committed to its type in that step") {
  Follower f = follower(3, 2);
  // Its preferred goal, reached by itself: c is its own, the leader gets nothing.
  check_money(step(f, Payment::completion, offer(0, 1), false, 3).outcome, 0, 0, 2, 0);
  // Committed to type 0, reached type 1 (a noisy step): nobody gets anything, the contract runs on.
  check_money(step(f, Payment::completion, offer(0, 1), true, 1).outcome, 0, 0, 0, 0);
  CHECK(f.contract_running);
  // Committed to its preferred type: bonus and c.
  check_money(step(f, Payment::completion, offer(3, 0), true, 3).outcome, 1, kW - 1, 3, 1);
}

TEST_CASE("a contract ends by the offer changing and by the follower no longer being committed") {
  struct Case {
    const char* name;
    Offer offered;
    bool committed, runs_after;
  };
  const Case cases[] = {
      {"the same offer, still committed", offer(0, 1), true, true},
      {"another bonus is another offer: a new contract", offer(0, 0), true, true},
      {"another goal", offer(1, 1), true, true},
      {"a changed offer that is refused", offer(1, 0), false, false},
      {"no longer committed", offer(0, 1), false, false},
      {"no offer any more", Offer{}, false, false},
  };
  for (const Payment rule : {Payment::completion, Payment::advance, Payment::advance_once}) {
    for (const Case& c : cases) {
      CAPTURE(c.name);
      Follower f = follower(3, 1);
      step(f, rule, offer(0, 1), true, kNone);
      step(f, rule, offer(0, 1), true, kNone);
      step(f, rule, c.offered, c.committed, kNone);
      CHECK(f.contract_running == c.runs_after);
      CHECK(f.contract_age == (c.offered == offer(0, 1) && c.committed ? 3 : c.runs_after ? 1 : 0));
      CHECK(f.committed == c.committed);
      CHECK(f.offer == c.offered);
    }
  }
}

TEST_CASE("statistics events: trials") {
  Follower f = follower(3, 1);
  CHECK(step(f, Payment::completion, offer(0, 0), false, kNone).event.trial);  // refused: every step is a trial
  CHECK(step(f, Payment::completion, offer(0, 0), false, kNone).event.trial);
  Stepped s = step(f, Payment::completion, offer(0, 0), true, kNone);
  CHECK(s.event.trial);
  CHECK(s.event.accepted);
  CHECK(s.event.identity == 7);
  CHECK(s.event.offer == offer(0, 0));
  CHECK_FALSE(step(f, Payment::completion, offer(0, 0), true, kNone).event.trial);   // the contract runs
  CHECK_FALSE(step(f, Payment::completion, offer(0, 0), false, kNone).event.trial);  // it ran when the step began
  CHECK(step(f, Payment::completion, offer(0, 1), true, kNone).event.trial);         // a new offer
  CHECK_FALSE(step(f, Payment::completion, Offer{}, false, kNone).event.trial);      // no offer
  HistoryEvent event;
  sign_contract(f, offer(2, 0), false, false, economy_of(Payment::completion), event);
  CHECK_FALSE(event.trial);  // the offered goal was out of reach
}

TEST_CASE("statistics events: ages and ends") {
  Follower f = follower(3, 1);
  Stepped s = step(f, Payment::completion, offer(0, 0), true, kNone);
  CHECK(s.event.age == 0);  // before the step
  CHECK(s.event.ended == Offer{});
  s = step(f, Payment::completion, offer(0, 0), true, kNone);
  CHECK(s.event.age == 1);
  s = step(f, Payment::completion, offer(0, 0), false, kNone);  // abandoned: the follower's doing
  CHECK(s.event.age == kNone);
  CHECK(s.event.ended == offer(0, 0));

  step(f, Payment::completion, offer(0, 0), true, kNone);
  s = step(f, Payment::completion, offer(1, 1), true, kNone);  // the leader's doing: no sample
  CHECK(s.event.ended == Offer{});
  CHECK(s.event.age == 0);
  s = step(f, Payment::completion, offer(1, 1), true, 1);
  CHECK(s.event.completed);
  CHECK(s.event.age == 1);
  CHECK(s.event.ended == Offer{});

  s = step(f, Payment::completion, offer(1, 1), true, kNone, true);  // running when the episode ends
  CHECK(s.event.ended == offer(1, 1));
  f = follower(3, 1);
  s = step(f, Payment::completion, offer(1, 1), true, 1, true);  // completed in the last step
  CHECK(s.event.completed);
  CHECK(s.event.ended == Offer{});
}

}  // namespace paymaster::test
