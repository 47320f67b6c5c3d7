// M3RL's populations of 40, as its code draws them in every run from seeds of its own (Collection_v0 to v4; Crafting_v0 and
// v1). Collection_v2 has the skills of v0, and no preferences of its own.
#include "game/named_population.hpp"

#include <string_view>

#include "game/check.hpp"

namespace paymaster {
namespace {

/// What a digit of `kind` says about skills.
enum class Kinds { one_skill, all_but_one, one_item };

struct Named {
  std::string_view name;
  int goals;
  Kinds kinds;
  std::string_view kind;         // of each follower; empty: j mod 4
  std::string_view preference;   // of each
  std::string_view reservation;  // of each; empty: 1
};

constexpr Named kNamed[] = {
    {"m3rl_v0", 4, Kinds::one_skill, "1233133020003313212310323013200333211132",
     "0033003312001031130022123331231200310123", ""},
    {"m3rl_v1", 4, Kinds::all_but_one, "1003300303100001013111230223123301312303",
     "3112111322310211213131030033133313210302", ""},
    {"m3rl_v3", 4, Kinds::one_skill, "1030301001031202213031203021112210120012",
     "0333330033111010323332012331032013332110", "2211322133222233323133232133132222222313"},
    {"m3rl_v4", 4, Kinds::all_but_one, "1233333120010311002231303120302310123011",
     "3021132302112211100331312100213330132131", "1231213113331312333332213323213113323331"},
    {"m3rl_crafting_v0", 8, Kinds::one_item, "", "0301212121230031112303231113203212011223", ""},
    {"m3rl_crafting_v1", 8, Kinds::one_item, "", "0012222003120211302121122233203022331323",
     "2331112331122213223313332313123332311312"},
};

int digit(std::string_view text, std::size_t i) { return text[i] - '0'; }

const Named& find(const std::string& name) {
  for (const Named& named : kNamed)
    if (named.name == name) return named;
  reject("named_population", "the name of one", quoted(name));
}

GoalSet skills(Kinds kinds, int kind) {
  constexpr int types = 4;  // of resources and of raw materials
  const GoalSet all = set_of(types) - 1;
  if (kinds == Kinds::one_item) return all | set_of(types + kind);
  return kinds == Kinds::one_skill ? set_of(kind) : all & ~set_of(types - 1 - kind);
}

}  // namespace

std::vector<Traits> named_traits(const std::string& name) {
  const Named& named = find(name);
  std::vector<Traits> traits(named.preference.size());
  for (std::size_t i = 0; i < traits.size(); ++i) {
    traits[i].skill = skills(named.kinds, named.kind.empty() ? static_cast<int>(i % 4) : digit(named.kind, i));
    traits[i].preference = static_cast<std::uint8_t>(digit(named.preference, i));
    traits[i].reservation = named.reservation.empty() ? 1.0f : static_cast<float>(digit(named.reservation, i));
  }
  return traits;
}

void check_named_population(const GameConfig& config) {
  if (config.draws_population()) return;
  const Named& named = find(config.named_population);
  const auto size = static_cast<int>(named.preference.size());
  expect(config.num_goals == named.goals, "named_population",
         "one of num_goals = " + std::to_string(config.num_goals) + " goal types",
         quoted(config.named_population) + " of " + std::to_string(named.goals));
  expect(config.population_size == size, "population_size",
         std::to_string(size) + " with named_population = " + quoted(config.named_population), config.population_size);
}

}  // namespace paymaster
