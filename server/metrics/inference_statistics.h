// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace candor {

// Why a picture failed, as Triton tells it.
enum class FailureReason { kRejected, kCancelled, kBackend, kOther };
inline constexpr int kFailureReasons = 4;

// What Triton counts, for each model and version since the start, of whatever protocol the pictures came by. A request
// of several pictures counts as several. Only grows. Thread-safe.
class InferenceStatistics {
 public:
  // Pixels and files count apart: Triton's clients see them as two models.
  struct Entry {
    std::string model;
    int version = 1;
    bool is_encoded = false;

    friend bool operator<(const Entry& a, const Entry& b) {
      return std::tie(a.model, a.version, a.is_encoded) < std::tie(b.model, b.version, b.is_encoded);
    }
  };

  // From arrival to answer, and the parts of it.
  struct Times {
    double total_ms = 0;
    double queue_ms = 0;
    double decode_ms = 0;
    double infer_ms = 0;  // of the whole batch
    double encode_ms = 0;
    int batch_size = 0;
  };

  // Nanoseconds, summed over the pictures.
  struct Sums {
    uint64_t total_ns = 0;
    uint64_t queue_ns = 0;
    uint64_t decode_ns = 0;
    uint64_t infer_ns = 0;
    uint64_t encode_ns = 0;
  };

  // Of batches of one size: an execution each.
  struct Batches {
    uint64_t executions = 0;
    uint64_t decode_ns = 0;
    uint64_t infer_ns = 0;
    uint64_t encode_ns = 0;
  };

  struct Counts {
    Entry entry;
    uint64_t successes = 0;
    uint64_t failures = 0;
    std::array<uint64_t, kFailureReasons> failures_by_reason{};
    uint64_t executions = 0;
    int pending = 0;
    uint64_t last_inference_ms = 0;  // since the epoch; 0: none yet
    Sums sums;                       // of successes
    uint64_t failed_ns = 0;
    std::map<int, Batches> batches;  // by size
  };

  void PictureStarted(const Entry& entry) ABSL_LOCKS_EXCLUDED(mu_);
  void PictureEnded(const Entry& entry, absl::StatusCode code, const Times& times) ABSL_LOCKS_EXCLUDED(mu_);

  // All zero for an entry that has seen nothing.
  Counts Of(const Entry& entry) const ABSL_LOCKS_EXCLUDED(mu_);
  // Every entry that has seen something.
  std::vector<Counts> All() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // Each picture of a batch knows its size alone: a batch is over when as many have been counted.
  struct Running {
    Counts counts;
    std::map<int, double> parts_of_batches;  // by size; executions are their whole number
    std::map<int, Sums> batch_sums;          // by size, over pictures
  };

  static Counts CountsOf(const Entry& entry, const Running& running);

  mutable absl::Mutex mu_;
  std::map<Entry, Running> entries_ ABSL_GUARDED_BY(mu_);
};

}  // namespace candor
