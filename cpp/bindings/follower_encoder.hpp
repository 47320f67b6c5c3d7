// The encoder of what a batch's followers see.
#pragma once

#include "batch/batch.hpp"
#include "bindings.hpp"
#include "features/follower_features.hpp"

namespace paymaster::bindings {

class PyFollowerEncoder {
 public:
  PyFollowerEncoder(const py::object& batch, bool all_goals)
      : batch_(batch),
        core_(core_of(batch)),
        all_goals_(all_goals),
        encoder_(core_.config(), core_.population().choosy(), all_goals) {}

  const FollowerEncoder& encoder() const { return encoder_; }
  py::tuple arguments() const { return py::make_tuple(batch_, all_goals_); }

  /// Writes features and identities into the caller's arrays; throws where they do not fit.
  void encode_into(const py::object& observation, const py::array& own, const py::array& goal,
                   const py::object& identity) const;

 private:
  py::object batch_;  // keeps core_ alive
  Batch& core_;
  bool all_goals_;
  FollowerEncoder encoder_;
};

}  // namespace paymaster::bindings
