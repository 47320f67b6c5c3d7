// The step of plane_acting.hpp, local to the file that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cmath>

#include "networks/plane_acting.hpp"
#include "networks/product.hpp"

namespace paymaster {
namespace {

/// out[rows, outputs] = a[rows, inputs] weight + bias
inline void multiply(const float* a, const InOut& b, std::size_t rows, std::size_t inputs, std::size_t outputs,
                     float* out) {
  for (std::size_t i = 0; i < rows; ++i) {
    if (b.bias != nullptr) std::copy_n(b.bias, outputs, out + i * outputs);
    else std::fill_n(out + i * outputs, outputs, 0.0F);
  }
  add_product(a, b.weight, out, rows, inputs, outputs);
}

template <class Body>
inline void each(float* values, std::size_t count, Body&& body) {
  across<float>(count, [&](auto zero, std::size_t j) {
    using W = decltype(zero);
    store(body(load<W>(values + j)), values + j);
  });
}

inline void rectify_all(float* values, std::size_t count) {
  each(values, count, [](auto x) { return x > decltype(x){} ? x : decltype(x){}; });
}

inline void add_times(float factor, const float* from, std::size_t count, float* to) {
  for (std::size_t j = 0; j < count; ++j) to[j] += factor * from[j];
}

/// What a plane layer makes of followers, out [rows, H]; `start` [rows, channels] is what it makes of constant planes.
inline void encode_planes(const PlaneLayer& layer, const PlaneSizes& s, const float* start, PlaneScratch& scratch,
                          float* out) {
  const std::size_t rows = s.games * s.followers, groups = s.shared + s.varying, channels = layer.channels;
  scratch.seen.resize(rows * groups * channels);
  scratch.table.resize(s.codes * channels);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t code = 0; code < s.codes; ++code)
      for (std::size_t j = 0; j < channels; ++j)
        scratch.table[code * channels + j] = start[r * channels + j] + layer.of_code[code * channels + j];
    rectify_all(scratch.table.data(), s.codes * channels);
    for (std::size_t g = 0; g < groups; ++g)
      std::copy_n(scratch.table.data() + scratch.looked[r * groups + g] * channels, channels,
                  scratch.seen.data() + (r * groups + g) * channels);
  }
  multiply(scratch.seen.data(), layer.summed, rows, groups * channels, s.hidden, out);
  rectify_all(out, rows * s.hidden);
}

/// Softmax or its logarithm is of few numbers here.
inline float log_of_sum(const float* logits, std::size_t count) {
  const float most = *std::max_element(logits, logits + count);
  float sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += std::exp(logits[i] - most);
  return most + std::log(sum);
}

inline bool look(const PlaneWeights& w, const PlaneSizes& s, const float* follower, PlaneScratch& scratch) {
  const std::size_t rows = s.games * s.followers, groups = s.shared + s.varying, width = s.cells + s.constant + 2;
  for (std::size_t r = 0; r < rows; ++r) {
    const float* codes = follower + r * width;
    bool fits = true;
    for (std::size_t c = 0; c < s.cells; ++c) fits &= !w.fixed[c] | (codes[c] == w.expected[c]);
    if (!fits) return false;
  }
  scratch.looked.resize(rows * groups);
  scratch.action.resize(rows);
  for (std::size_t r = 0; r < rows; ++r) {
    const float* codes = follower + r * width;
    std::uint8_t* looked = scratch.looked.data() + r * groups;
    for (std::size_t g = 0; g < s.shared; ++g) *looked++ = static_cast<std::uint8_t>(w.code[g]);
    for (std::size_t g = 0; g < s.varying; ++g) *looked++ = static_cast<std::uint8_t>(codes[w.cell[g]]);
    scratch.action[r] = static_cast<std::int64_t>(codes[s.cells + s.constant]);
  }
  return true;
}

inline void start_from(const PlaneLayer& layer, const PlaneSizes& s, const float* follower, float* out) {
  const std::size_t rows = s.games * s.followers, width = s.cells + s.constant + 2;
  for (std::size_t r = 0; r < rows; ++r, out += layer.channels) {
    const float* constant = follower + r * width + s.cells;
    std::copy_n(layer.start, layer.channels, out);
    for (std::size_t p = 0; p < s.constant; ++p)  // most are 0
      if (constant[p] != 0) add_times(constant[p], layer.of_constant + p * layer.channels, layer.channels, out);
  }
}

/// The weights of a game's followers, and their weighted sum of z.
inline void pool(const PlaneWeights& w, const PlaneSizes& s, const float* z, float* attention, float* pooled) {
  const std::size_t n = s.followers, h = s.hidden;
  for (std::size_t game = 0; game < s.games; ++game, z += n * h, attention += n, pooled += h) {
    if (w.score == nullptr) {
      std::fill_n(attention, n, 1.0F / static_cast<float>(n));
    } else {
      for (std::size_t k = 0; k < n; ++k) {
        attention[k] = 0;
        for (std::size_t j = 0; j < h; ++j) attention[k] += z[k * h + j] * w.score[j];
      }
      const float sum = log_of_sum(attention, n);
      for (std::size_t k = 0; k < n; ++k) attention[k] = std::exp(attention[k] - sum);
    }
    std::fill_n(pooled, h, 0.0F);
    for (std::size_t k = 0; k < n; ++k) add_times(attention[k], z + k * h, h, pooled);
  }
}

inline void write_log_mu(const PlaneSizes& s, const float* heads, float* out) {
  const float goals = log_of_sum(heads, s.goals);
  const float* bonus = heads + s.goals;
  float bonuses = log_of_sum(bonus, s.bonuses);
  for (std::size_t g = 0; g < s.goals; ++g) {
    if (g > 0 && s.bonus_logits > s.bonuses) bonus += s.bonuses, bonuses = log_of_sum(bonus, s.bonuses);
    for (std::size_t b = 0; b < s.bonuses; ++b) *out++ = (heads[g] - goals) + (bonus[b] - bonuses);
  }
}

struct PlaneStep {
  static bool decide(const PlaneWeights& w, const PlaneSizes& s, const PlaneDecision& step, PlaneScratch& scratch) {
    if (!look(w, s, step.follower, scratch)) return false;
    const std::size_t rows = s.games * s.followers, h = s.hidden, all = rows * h;
    scratch.heads.resize(std::max(rows * (s.goals + s.bonus_logits), rows * w.manager.channels));
    start_from(w.manager, s, step.follower, scratch.heads.data());
    scratch.encoded.resize(all);
    encode_planes(w.manager, s, scratch.heads.data(), scratch, scratch.encoded.data());
    scratch.mind_start.resize(rows * w.mind.channels);
    start_from(w.mind, s, step.follower, scratch.mind_start.data());
    scratch.code.resize(all);
    for (std::size_t r = 0; r < rows; ++r) std::copy_n(step.state + r * 2 * h, h, scratch.code.data() + r * h);
    scratch.gates.assign(w.gate, w.gate + all);
    add_product(scratch.code.data(), w.gate_of_mind.weight, scratch.gates.data(), rows, h, h);
    float* z = scratch.encoded.data();
    across<float>(all, [&](auto zero, std::size_t j) {
      using W = decltype(zero);
      store(load<W>(z + j) * sigmoid(load<W>(scratch.gates.data() + j)), z + j);
    });
    scratch.pooled.resize(s.games * h), scratch.context.resize(s.games * h), scratch.shared.resize(s.games * h);
    pool(w, s, z, step.attention, scratch.pooled.data());
    multiply(scratch.pooled.data(), w.context, s.games, h, h, scratch.context.data());
    rectify_all(scratch.context.data(), s.games * h);
    multiply(scratch.context.data(), w.of_context, s.games, h, h, scratch.shared.data());
    for (std::size_t r = 0; r < rows; ++r)
      std::copy_n(scratch.shared.data() + r / s.followers * h, h, scratch.code.data() + r * h);
    add_product(z, w.of_own.weight, scratch.code.data(), rows, h, h);
    rectify_all(scratch.code.data(), all);
    const std::size_t logits = s.goals + s.bonus_logits;
    multiply(scratch.code.data(), w.heads, rows, h, logits, scratch.heads.data());
    for (std::size_t r = 0; r < rows; ++r)
      write_log_mu(s, scratch.heads.data() + r * logits, step.log_mu + r * s.goals * s.bonuses);
    if (w.end_code.weight != nullptr) ends(w, s, step, scratch);
    return true;
  }

  static void follow(const PlaneWeights& w, const PlaneSizes& s, const std::int64_t* offer, const float* state,
                     bool first, float* after, PlaneScratch& scratch) {
    const std::size_t rows = s.games * s.followers, h = s.hidden, channels = w.mind.channels;
    for (std::size_t r = 0; r < rows; ++r) {
      float* start = scratch.mind_start.data() + r * channels;
      const std::size_t action = first ? s.actions - 1 : static_cast<std::size_t>(scratch.action[r]);
      add_times(1.0F, w.of_other + action * channels, channels, start);
      add_times(1.0F, w.of_other + (s.actions + static_cast<std::size_t>(offer[r])) * channels, channels, start);
    }
    encode_planes(w.mind, s, scratch.mind_start.data(), scratch, scratch.encoded.data());
    scratch.code.resize(rows * h), scratch.shared.resize(rows * 2 * h), scratch.gates.resize(rows * 4 * h);
    multiply(scratch.encoded.data(), w.layer, rows, h, h, scratch.code.data());
    rectify_all(scratch.code.data(), rows * h);
    for (std::size_t r = 0; r < rows; ++r) {  // x and m side by side
      std::copy_n(scratch.code.data() + r * h, h, scratch.shared.data() + r * 2 * h);
      std::copy_n(state + r * 2 * h, h, scratch.shared.data() + r * 2 * h + h);
    }
    multiply(scratch.shared.data(), w.lstm, rows, 2 * h, 4 * h, scratch.gates.data());
    for (std::size_t r = 0; r < rows; ++r) {
      const float *gates = scratch.gates.data() + r * 4 * h, *before = state + r * 2 * h + h;
      float* to = after + r * 2 * h;
      across<float>(h, [&](auto zero, std::size_t j) {
        using W = decltype(zero);
        const W memory = sigmoid(load<W>(gates + h + j)) * load<W>(before + j) +
                         sigmoid(load<W>(gates + j)) * hyperbolic(load<W>(gates + 2 * h + j));
        store(W(sigmoid(load<W>(gates + 3 * h + j)) * hyperbolic(memory)), to + j);
        store(memory, to + h + j);
      });
    }
  }

 private:
  static void ends(const PlaneWeights& w, const PlaneSizes& s, const PlaneDecision& step, PlaneScratch& scratch) {
    const std::size_t rows = s.games * s.followers, h = s.hidden;
    multiply(scratch.code.data(), w.end_code, rows, h, h, scratch.gates.data());
    for (std::size_t r = 0; r < rows; ++r) {
      float* code = scratch.gates.data() + r * h;
      add_times(1.0F, w.end_offer + static_cast<std::size_t>(step.previous[r] + 1) * h, h, code);
      float logit = *w.end_bias;
      for (std::size_t j = 0; j < h; ++j) logit += std::max(code[j], 0.0F) * w.end[j];
      step.termination[r] = logit;
    }
  }
};

}  // namespace
}  // namespace paymaster
