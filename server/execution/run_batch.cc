// SPDX-License-Identifier: Apache-2.0
//
// The call of the segmenter.
#include "server/execution/run_batch.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace candor {
namespace {

using std::chrono::steady_clock;

// Share of a member's time that is kept back for what follows the last member.
constexpr double kReserve = 1.5;

bool IsLate(const InferenceJob& job) { return steady_clock::now() >= job.deadline; }
bool IsUnwanted(const InferenceJob& job) { return IsLate(job) || job.cancelled(); }

// True once what runs next would end after the deadline, by the time that what ran took; asked as MemberChecks::enough.
CancelCheck EnoughFor(const InferenceJob& job) {
  return [&job, start = SteadyTime(), steps = -1]() mutable {
    const auto now = steady_clock::now();
    if (++steps == 0) {
      start = now;
      return false;
    }
    const std::chrono::duration<double> step_time = (now - start) / static_cast<double>(steps);
    return now + std::chrono::duration_cast<steady_clock::duration>(kReserve * step_time) > job.deadline;
  };
}

// The segmenter promises not to throw; a fake or a later one that does must not end the process.
template <typename Body>
std::invoke_result_t<Body> WithoutExceptions(Body&& body) {
  try {
    return body();
  } catch (const std::exception& e) {
    return absl::InternalError(absl::StrCat("the model failed: ", e.what()));
  }
}

}  // namespace

absl::Status Late() { return absl::DeadlineExceededError("the deadline passed before the answer was ready"); }

absl::StatusOr<PendingAnswers> StartBatch(absl::Span<const InferenceJob* const> jobs) {
  std::vector<SegmentItem> items;
  for (const InferenceJob* job : jobs) items.push_back({&job->picture, {job->kinds, false, job->region}});
  MemberChecks checks;
  checks.cancelled = [jobs] {
    return std::all_of(jobs.begin(), jobs.end(), [](const InferenceJob* job) { return IsUnwanted(*job); });
  };
  if (jobs.size() == 1 && jobs[0]->anytime) checks.enough = EnoughFor(*jobs[0]);
  return WithoutExceptions([&] { return jobs[0]->segmenter->StartBatch(items, checks); });
}

std::optional<JobResults> TakeResults(absl::Span<const InferenceJob* const> jobs,
                                      absl::StatusOr<PendingAnswers> started) {
  PendingAnswers::Answers answers = started.ok() ? WithoutExceptions([&] { return (*std::move(started)).Take(); })
                                                 : PendingAnswers::Answers(started.status());
  if (answers.ok() && answers->size() != jobs.size()) answers = absl::InternalError("the model lost a picture");
  JobResults results;
  if (answers.ok()) {
    for (Segmentation& answer : *answers) results.emplace_back(std::move(answer));
  } else if (absl::IsCancelled(answers.status())) {
    for (const InferenceJob* job : jobs) results.emplace_back(IsLate(*job) ? Late() : answers.status());
  } else if (jobs.size() == 1) {
    results.emplace_back(answers.status());
  } else {
    return std::nullopt;
  }
  return results;
}

JobResults RunOneByOne(absl::Span<const InferenceJob* const> jobs) {
  JobResults results;
  for (const InferenceJob* job : jobs) {
    const absl::Span<const InferenceJob* const> only = absl::MakeConstSpan(&job, 1);
    results.push_back(std::move((*TakeResults(only, StartBatch(only)))[0]));
  }
  return results;
}

}  // namespace candor
