// SPDX-License-Identifier: Apache-2.0
#include "client/bench/load_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "client/segmentation_stream.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;

class FakeCall : public SegmentCall {
 public:
  explicit FakeCall(absl::StatusOr<SegmentResult> result) : result_(std::move(result)) {}
  void Cancel() override {}
  bool HasEnded() const override { return true; }
  const absl::StatusOr<SegmentResult>& Wait() override { return result_; }

 private:
  const absl::StatusOr<SegmentResult> result_;
};

// Answers with the picture's first byte as width: at once, or when Release is called. Thread-safe.
class FakeClient : public SegmentationClient {
 public:
  absl::StatusOr<SegmentResult> SegmentEncoded(absl::string_view bytes, const SegmentOptions&) override {
    absl::MutexLock lock(&mu_);
    most_at_a_time_ = std::max(most_at_a_time_, ++now_);
    mu_.Await(absl::Condition(&is_released_));
    --now_;
    return Answer(bytes);
  }
  absl::StatusOr<SegmentResult> SegmentRaw(const RawImage& image, const SegmentOptions&) override {
    absl::MutexLock lock(&mu_);
    return Answer(image.data);
  }
  absl::StatusOr<std::shared_ptr<SegmentCall>> StartSegmentEncoded(absl::string_view bytes, const SegmentOptions&,
                                                                   SegmentDone done) override {
    if (bytes == "refuse") return absl::InvalidArgumentError("cannot be made");
    std::shared_ptr<FakeCall> call;
    {
      absl::MutexLock lock(&mu_);
      call = std::make_shared<FakeCall>(Answer(bytes));
      if (!is_released_) {
        held_.emplace_back(std::move(done), call);
        return call;
      }
    }
    done(call);
    return call;
  }
  absl::StatusOr<std::shared_ptr<SegmentCall>> StartSegmentRaw(const RawImage& image, const SegmentOptions& options,
                                                               SegmentDone done) override {
    return StartSegmentEncoded(image.data, options, std::move(done));
  }
  absl::StatusOr<std::unique_ptr<SegmentationStream>> OpenStream(const StreamOptions&) override {
    return absl::UnimplementedError("not asked for here");
  }
  absl::StatusOr<ModelList> ListModels() override { return absl::UnimplementedError("not asked for here"); }
  absl::StatusOr<ModelDescription> GetModel(const std::string&) override {
    return absl::UnimplementedError("not asked for here");
  }
  absl::StatusOr<HealthState> CheckHealth(const std::string&) override { return HealthState::kServing; }

  void Hold() {
    absl::MutexLock lock(&mu_);
    is_released_ = false;
  }
  void Release() {
    std::vector<std::pair<SegmentDone, std::shared_ptr<FakeCall>>> held;
    {
      absl::MutexLock lock(&mu_);
      is_released_ = true;
      held.swap(held_);
    }
    for (auto& [done, call] : held) done(call);
  }
  int most_at_a_time() const {
    absl::MutexLock lock(&mu_);
    return most_at_a_time_;
  }

 private:
  absl::StatusOr<SegmentResult> Answer(absl::string_view bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (bytes == "fail") return absl::ResourceExhaustedError("queue full");
    SegmentResult result;
    result.width = static_cast<unsigned char>(bytes.at(0));
    UncertaintyResult entry;
    entry.figures.kind = "margin";
    entry.figures.mean = 0.9F;
    result.uncertainty.push_back(entry);
    entry.figures.kind = "predictive_stddev";
    entry.figures.mean = 0.125F;
    result.uncertainty.push_back(entry);
    result.server_times.infer_ms = 5;
    return result;
  }

  mutable absl::Mutex mu_;
  bool is_released_ ABSL_GUARDED_BY(mu_) = true;
  int now_ ABSL_GUARDED_BY(mu_) = 0;
  int most_at_a_time_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<std::pair<SegmentDone, std::shared_ptr<FakeCall>>> held_ ABSL_GUARDED_BY(mu_);
};

class RunLoadTest : public testing::Test {
 protected:
  RunLoadTest() {
    target_.client = &client_;
    target_.options.uncertainty = {{"predictive_stddev"}};
    target_.pictures = {{"a", "a", {}}};
  }

  static LoadPlan Closed(int concurrency, int64_t requests) {
    LoadPlan plan;
    plan.concurrency = concurrency;
    plan.requests = requests;
    return plan;
  }
  static LoadPlan Open(LoadMode mode, double rate, int64_t requests) {
    LoadPlan plan;
    plan.mode = mode;
    plan.rate = rate;
    plan.requests = requests;
    return plan;
  }

  FakeClient client_;
  LoadTarget target_;
};

TEST_F(RunLoadTest, AClosedLoopMakesAsManyCallsAsAskedFor) {
  const LoadOutcome outcome = RunLoad(Closed(3, 100), target_, nullptr);
  ASSERT_EQ(outcome.samples.size(), 100U);
  for (const LoadSample& sample : outcome.samples) {
    EXPECT_EQ(sample.code, absl::StatusCode::kOk);
    EXPECT_EQ(sample.due_s, sample.sent_s);
    EXPECT_GE(sample.done_s, sample.sent_s);
    EXPECT_EQ(sample.server_times.infer_ms, 5);
    EXPECT_EQ(sample.mean_uncertainty, 0.125F) << "of the kind asked for, not of the first in the answer";
  }
}

TEST_F(RunLoadTest, AClosedLoopHasAllItsCallersAtWork) {
  client_.Hold();
  const LoadOutcome outcome = RunLoad(Closed(4, 40), target_, [this](const LoadProgress&) {
    if (client_.most_at_a_time() == 4) client_.Release();
  });
  EXPECT_EQ(outcome.samples.size(), 40U);
  EXPECT_EQ(client_.most_at_a_time(), 4);
}

TEST_F(RunLoadTest, EndsWithTheTimePlanned) {
  LoadPlan plan;
  plan.duration_s = 0.05;
  for (const LoadMode mode : {LoadMode::kClosed, LoadMode::kConstant}) {
    plan.mode = mode;
    plan.rate = 1000;
    const LoadOutcome outcome = RunLoad(plan, target_, nullptr);
    ASSERT_FALSE(outcome.samples.empty());
    for (const LoadSample& sample : outcome.samples) EXPECT_LT(sample.due_s, 0.05);
    EXPECT_TRUE(mode == LoadMode::kClosed || outcome.samples.size() == 50U) << outcome.samples.size();
  }
}

TEST_F(RunLoadTest, SendsPicturesInTurnAndChecksEachAgainstItsOwn) {
  target_.pictures = {{"a", "a", {}}, {"b", "b", {}}, {"raw", "", {1, 1, {'c', 0, 0}}}};
  std::vector<SegmentResult> alone;
  for (const LoadPicture& picture : target_.pictures) {
    alone.push_back(*SegmentPicture(picture, target_.options, &client_));
  }
  EXPECT_EQ(alone[2].width, 'c');
  std::swap(alone[1], alone[2]);
  AnswerCheck check(alone, {"a", "b", "raw"}, 0.001);
  target_.check = &check;
  for (const LoadPlan& plan : {Closed(2, 30), Open(LoadMode::kPoisson, 1e5, 30)}) {
    const LoadOutcome outcome = RunLoad(plan, target_, nullptr);
    EXPECT_EQ(std::count_if(outcome.samples.begin(), outcome.samples.end(),
                            [](const LoadSample& sample) { return sample.picture == 2; }),
              10);
  }
  EXPECT_EQ(check.figures().compared, 60);
  EXPECT_EQ(check.figures().mismatches, 40);
}

TEST_F(RunLoadTest, DoesNotCountTheWarmUp) {
  LoadPlan plan = Open(LoadMode::kConstant, 1000, 0);
  plan.warmup_s = 0.02;
  plan.duration_s = 0.03;
  const LoadOutcome outcome = RunLoad(plan, target_, nullptr);
  EXPECT_EQ(outcome.samples.size(), 30U);
  for (const LoadSample& sample : outcome.samples) EXPECT_GE(sample.due_s, 0);
  LoadPlan closed = Closed(1, 5);
  closed.warmup_s = 0.02;
  EXPECT_EQ(RunLoad(closed, target_, nullptr).samples.size(), 5U);
}

// A server that stalls until the first progress report, a quarter of a second from the start.
TEST_F(RunLoadTest, AStallIsPaidByEveryCallItDelays) {
  for (const int max_in_flight : {512, 1}) {
    client_.Hold();
    LoadPlan plan = Open(LoadMode::kConstant, 1000, 20);
    plan.max_in_flight = max_in_flight;
    const LoadOutcome outcome = RunLoad(plan, target_, [this](const LoadProgress& now) {
      if (now.elapsed_s > 0.2) client_.Release();
    });
    ASSERT_EQ(outcome.samples.size(), 20U);
    std::set<int64_t> due_ms;
    for (const LoadSample& sample : outcome.samples) {
      due_ms.insert(std::lround(sample.due_s * 1e3));
      EXPECT_GE(sample.latency_ms(), 200 - 20) << "due at " << sample.due_s;
    }
    EXPECT_EQ(due_ms.size(), 20U);
    const auto late = std::count_if(outcome.samples.begin(), outcome.samples.end(),
                                    [](const LoadSample& sample) { return sample.sent_s - sample.due_s > 0.15; });
    EXPECT_EQ(late, max_in_flight == 1 ? 19 : 0);
  }
}

TEST_F(RunLoadTest, KeepsCodesAndTheFirstMessage) {
  target_.pictures = {{"a", "a", {}}, {"fail", "fail", {}}, {"refuse", "refuse", {}}};
  const LoadOutcome outcome = RunLoad(Open(LoadMode::kConstant, 1e5, 30), target_, nullptr);
  ASSERT_EQ(outcome.samples.size(), 30U);
  const auto count = [&](absl::StatusCode code) {
    return std::count_if(outcome.samples.begin(), outcome.samples.end(),
                         [code](const LoadSample& sample) { return sample.code == code; });
  };
  EXPECT_EQ(count(absl::StatusCode::kOk), 10);
  EXPECT_EQ(count(absl::StatusCode::kResourceExhausted), 10);
  EXPECT_EQ(count(absl::StatusCode::kInvalidArgument), 10);
  EXPECT_THAT(outcome.first_messages.at(absl::StatusCode::kResourceExhausted), HasSubstr("queue full"));
}

TEST_F(RunLoadTest, ReportsProgress) {
  int64_t ended = -1;
  RunLoad(Closed(1, 7), target_, [&](const LoadProgress& now) { ended = now.ended; });
  EXPECT_EQ(ended, 7);
}

}  // namespace
}  // namespace candor
