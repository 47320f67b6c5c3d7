// The grid's own options.
#pragma once

#include <memory>
#include <string>

#include "game/config.hpp"

namespace paymaster {

struct GridConfig final : WorldOptions {
  int num_resources = 10;
  std::string map;

  std::unique_ptr<WorldOptions> clone() const override { return std::make_unique<GridConfig>(*this); }
  void visit(OptionVisitor& visitor) override;
  void validate(const GameConfig& game) const override;
};

}  // namespace paymaster
