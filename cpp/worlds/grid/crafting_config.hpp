// The crafting world's own parameters.
#pragma once

#include <memory>
#include <string>

#include "game/config.hpp"
#include "worlds/grid/limits.hpp"
#include "worlds/grid/recipes.hpp"

namespace paymaster {

struct CraftingConfig final : WorldParameters {
  int num_resources = 10;
  std::string map;

  std::unique_ptr<WorldParameters> clone() const override { return std::make_unique<CraftingConfig>(*this); }
  void visit(ParameterVisitor& visitor) override;
  void validate(const GameConfig& game) const override;
};

}  // namespace paymaster
