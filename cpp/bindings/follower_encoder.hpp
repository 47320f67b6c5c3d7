// The encoder of what a batch's followers see.
#pragma once

#include "batch/batch.hpp"
#include "bindings.hpp"
#include "features/follower_features.hpp"

namespace paymaster::bindings {

class PyFollowerEncoder {
 public:
  explicit PyFollowerEncoder(const py::object& batch)
      : batch_(batch), core_(core_of(batch)), encoder_(core_.config(), core_.population().choosy()) {}

  const FollowerEncoder& encoder() const { return encoder_; }
  py::object batch() const { return batch_; }

  /// Writes features and identities into the caller's arrays; throws where they do not fit.
  void encode_into(const py::object& observation, const py::array& own, const py::array& goal,
                   const py::object& identity) const;

 private:
  py::object batch_;  // keeps core_ alive
  Batch& core_;
  FollowerEncoder encoder_;
};

}  // namespace paymaster::bindings
