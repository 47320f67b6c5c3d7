#include "features/planes.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include "game/check.hpp"
#include "game/population.hpp"

namespace paymaster {

PlaneEncoder::PlaneEncoder(const GameConfig& config, bool see_others)
    : world_(config.world->planes(config)),
      see_others_(see_others),
      n_(config.num_followers),
      actions_(config.world->actions()),
      population_(config.population_size) {
  expect(world_.rows > 0, "inputs", "a world of cells with 'planes'", std::string("one of ") + config.world->name());
}

int PlaneEncoder::identity_of(const PlaneFields& seen, std::size_t game, int follower) const {
  return seen.wide_identity.first != nullptr ? seen.wide_identity.of(game)[follower] : seen.identity.of(game)[follower];
}

void PlaneEncoder::check(const PlaneFields& seen, std::size_t games) const {
  const std::string type_name = "observation['" + world_.object_type + "']",
                    place_name = "observation['" + world_.object_position + "']",
                    amount_name = "observation['" + world_.amount + "']";
  const auto check_place = [&](const std::int16_t* place, const std::string& name) {
    expect_range<int>(place[0], 0, world_.rows - 1, name);
    expect_range<int>(place[1], 0, world_.columns - 1, name);
  };
  for (std::size_t game = 0; game < games; ++game) {
    for (int k = 0; k < n_; ++k) {
      expect_range(identity_of(seen, game, k), 0, population_ - 1, "observation['identity']");
      expect_range<int>(seen.action.of(game)[k], kNone, actions_ - 1, "observation['action']");
      expect_range<int>(seen.heading.of(game)[k], 0, 3, "observation['heading']");
      check_place(seen.position.of(game) + 2 * k, "observation['position']");
    }
    for (int i = 0; i < world_.amounts; ++i) expect_range<int>(seen.amount.of(game)[i], 0, INT16_MAX, amount_name);
    for (int i = 0; i < world_.objects; ++i) {
      expect_range<int>(seen.object_type.of(game)[i], kNone, world_.types - 1, type_name);
      if (seen.object_type.of(game)[i] != kNone) check_place(seen.object_position.of(game) + 2 * i, place_name);
    }
  }
}

void PlaneEncoder::look(const PlaneFields& seen, std::size_t game, int k, std::uint8_t* codes) const {
  const auto cell_at = [&](const std::int16_t* place) { return place[0] * world_.columns + place[1]; };
  std::transform(world_.wall.begin(), world_.wall.end(), codes,
                 [](std::uint8_t wall) { return static_cast<std::uint8_t>(wall != 0 ? kWall : kFree); });
  for (int i = 0; i < world_.objects; ++i) {
    const int type = seen.object_type.of(game)[i];
    if (type == kNone) continue;
    std::uint8_t& code = codes[cell_at(seen.object_position.of(game) + 2 * i)];
    if (code != kWall) code = static_cast<std::uint8_t>(kObject + type);
  }
  if (!see_others_) return;
  for (int other = 0; other < n_; ++other) {
    if (other == k) continue;
    std::uint8_t& code = codes[cell_at(seen.position.of(game) + 2 * other)];
    if (code == kFree) code = kNothing;
  }
}

void PlaneEncoder::write_constant(const PlaneFields& seen, std::size_t game, int k, float* out) const {
  std::fill_n(out, constant_planes(), 0.0f);
  for (int i = 0; i < world_.amounts; ++i) *out++ = static_cast<float>(seen.amount.of(game)[i]);
  const std::int16_t* place = seen.position.of(game) + 2 * k;
  out[place[0]] = 1;
  out[world_.rows + place[1]] = 1;
  out[world_.rows + world_.columns + seen.heading.of(game)[k]] = 1;
}

void PlaneEncoder::encode(const PlaneFields& seen, std::size_t games, float* out) const {
  check(seen, games);
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(cells()));
  for (std::size_t game = 0; game < games; ++game) {
    for (int k = 0; k < n_; ++k) {
      if (k == 0 || see_others_) look(seen, game, k, codes.data());
      out = std::copy(codes.begin(), codes.end(), out);
      write_constant(seen, game, k, out);
      out += constant_planes();
      *out++ = static_cast<float>(seen.action.of(game)[k]);
      *out++ = static_cast<float>(identity_of(seen, game, k));
    }
  }
}

void PlaneEncoder::expand(const PlaneFields& seen, std::size_t games, float* out) const {
  check(seen, games);
  const auto size = static_cast<std::size_t>(cells());
  std::vector<std::uint8_t> codes(size);
  std::vector<float> constant(static_cast<std::size_t>(constant_planes()));
  for (std::size_t game = 0; game < games; ++game) {
    for (int k = 0; k < n_; ++k) {
      look(seen, game, k, codes.data());
      write_constant(seen, game, k, constant.data());
      for (int plane = 0; plane < cell_planes(); ++plane)
        out = std::transform(codes.begin(), codes.end(), out,
                             [&](std::uint8_t code) { return code == kFree + plane ? 1.0f : 0.0f; });
      for (const float value : constant) out = std::fill_n(out, size, value);
    }
  }
}

}  // namespace paymaster
