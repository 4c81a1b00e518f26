// SPDX-License-Identifier: Apache-2.0
#include "server/metrics/inference_statistics.h"

#include <chrono>
#include <cmath>

namespace candor {
namespace {

uint64_t Nanoseconds(double ms) { return ms > 0 ? static_cast<uint64_t>(std::llround(ms * 1e6)) : 0; }

FailureReason ReasonFor(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return FailureReason::kRejected;
    case absl::StatusCode::kCancelled:
      return FailureReason::kCancelled;
    case absl::StatusCode::kInternal:
      return FailureReason::kBackend;
    default:
      return FailureReason::kOther;
  }
}

}  // namespace

void InferenceStatistics::PictureStarted(const Entry& entry) {
  absl::MutexLock lock(&mu_);
  ++entries_[entry].counts.pending;
}

void InferenceStatistics::PictureEnded(const Entry& entry, absl::StatusCode code, const Times& times) {
  using std::chrono::system_clock;
  absl::MutexLock lock(&mu_);
  Running& running = entries_[entry];
  Counts& counts = running.counts;
  --counts.pending;
  if (code != absl::StatusCode::kOk) {
    ++counts.failures;
    ++counts.failures_by_reason[static_cast<size_t>(ReasonFor(code))];
    counts.failed_ns += Nanoseconds(times.total_ms);
    return;
  }
  ++counts.successes;
  counts.last_inference_ms = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(system_clock::now().time_since_epoch()).count());
  counts.sums.total_ns += Nanoseconds(times.total_ms);
  counts.sums.queue_ns += Nanoseconds(times.queue_ms);
  counts.sums.decode_ns += Nanoseconds(times.decode_ms);
  counts.sums.infer_ns += Nanoseconds(times.infer_ms);
  counts.sums.encode_ns += Nanoseconds(times.encode_ms);
  if (times.batch_size < 1) return;
  running.parts_of_batches[times.batch_size] += 1.0 / times.batch_size;
  Sums& sums = running.batch_sums[times.batch_size];
  sums.decode_ns += Nanoseconds(times.decode_ms);
  sums.infer_ns += Nanoseconds(times.infer_ms / times.batch_size);
  sums.encode_ns += Nanoseconds(times.encode_ms);
}

InferenceStatistics::Counts InferenceStatistics::CountsOf(const Entry& entry, const Running& running) {
  Counts counts = running.counts;
  counts.entry = entry;
  double executions = 0;
  for (const auto& [size, parts] : running.parts_of_batches) {
    executions += parts;
    const Sums& sums = running.batch_sums.at(size);
    counts.batches[size] = {static_cast<uint64_t>(std::llround(parts)), sums.decode_ns, sums.infer_ns, sums.encode_ns};
  }
  counts.executions = static_cast<uint64_t>(std::llround(executions));
  return counts;
}

InferenceStatistics::Counts InferenceStatistics::Of(const Entry& entry) const {
  absl::MutexLock lock(&mu_);
  const auto found = entries_.find(entry);
  return found == entries_.end() ? CountsOf(entry, {}) : CountsOf(entry, found->second);
}

std::vector<InferenceStatistics::Counts> InferenceStatistics::All() const {
  std::vector<Counts> all;
  absl::MutexLock lock(&mu_);
  for (const auto& [entry, running] : entries_) all.push_back(CountsOf(entry, running));
  return all;
}

}  // namespace candor
