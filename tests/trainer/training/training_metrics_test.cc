// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/training_metrics.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::Not;

// The page at http://127.0.0.1:`port`/metrics; empty if there is none.
std::string Scrape(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  std::string answer;
  const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
    char buffer[4096];
    for (ssize_t n = read(fd, buffer, sizeof(buffer)); n > 0; n = read(fd, buffer, sizeof(buffer))) {
      answer.append(buffer, static_cast<size_t>(n));
    }
  }
  close(fd);
  const size_t body = answer.find("\r\n\r\n");
  return body == std::string::npos ? "" : answer.substr(body + 4);
}

class TrainingMetricsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto served = TrainingMetrics::Serve("127.0.0.1:0");
    ASSERT_THAT(served, IsOk());
    metrics_ = *std::move(served);
    RunStart start;
    start.name = "member 3";
    start.steps = 40;
    start.first_step = 10;
    start.steps_per_epoch = 4;
    ASSERT_THAT(metrics_->OnStart(start), IsOk());
  }

  void TakeSteps() {
    StepRecord record;
    record.images = 16;
    record.loss = 1.5;
    record.segmentation_loss = 1.25;
    record.uncertainty_loss = 0.25;
    record.learning_rate = 0.0078125;
    record.seconds = 0.2;
    record.data_seconds = 0.125;
    for (const int step : {11, 12}) {
      record.step = step;
      record.epoch = step / 4.0;
      ASSERT_THAT(metrics_->OnStep(record), IsOk());
    }
  }

  void Validate() { ASSERT_THAT(metrics_->OnValidation({12, 3, 0.5, 0.75, 0.0625, 0.625, 1}), IsOk()); }

  std::string Page() const { return Scrape(metrics_->port()); }

  std::unique_ptr<TrainingMetrics> metrics_;
};

TEST_F(TrainingMetricsTest, AFreshPageSaysWhereTheRunGoesOnAndNoFigureYet) {
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("\ncandor_training_steps 40\n"));
  EXPECT_THAT(page, HasSubstr("\ncandor_training_epochs 2.5\n"));
  EXPECT_THAT(page, HasSubstr("\ncandor_training_steps_total 0\n"));
  EXPECT_THAT(page, Not(HasSubstr("\ncandor_training_validation_miou_ratio")));
}

TEST_F(TrainingMetricsTest, StepsAreCounted) {
  TakeSteps();
  const std::string page = Page();
  for (const char* line : {
           "candor_training_steps_total 2",
           "candor_training_images_total 32",
           "candor_training_data_wait_seconds_total 0.25",
           "candor_training_step_duration_seconds_count{run=\"member 3\"} 2",
           "candor_training_step_duration_seconds_bucket{run=\"member 3\",le=\"0.1\"} 0",
           "candor_training_step_duration_seconds_bucket{run=\"member 3\",le=\"0.25\"} 2",
           "candor_training_loss{part=\"total\"} 1.5",
           "candor_training_loss{part=\"segmentation\"} 1.25",
           "candor_training_loss{part=\"uncertainty\"} 0.25",
           "candor_training_learning_rate 0.0078125",
           "candor_training_epochs 3",
       }) {
    EXPECT_THAT(page, HasSubstr(absl::StrCat("\n", line, "\n")));
  }
}

TEST_F(TrainingMetricsTest, ValidationIsShown) {
  Validate();
  const std::string page = Page();
  for (const char* line : {
           "candor_training_validation_miou_ratio 0.5",
           "candor_training_validation_accuracy_ratio 0.75",
           "candor_training_validation_mean_uncertainty 0.0625",
           "candor_training_best_miou_ratio 0.625",
       }) {
    EXPECT_THAT(page, HasSubstr(absl::StrCat("\n", line, "\n")));
  }
  ASSERT_THAT(metrics_->OnValidation({16, 4, 0.25, 0.75, 0.0625, 0.625, 1}), IsOk());
  EXPECT_THAT(Page(), HasSubstr("\ncandor_training_validation_miou_ratio 0.25\n"));
}

TEST_F(TrainingMetricsTest, ATakenPortIsUnavailableAndNamed) {
  const std::string address = absl::StrCat("127.0.0.1:", metrics_->port());
  EXPECT_THAT(TrainingMetrics::Serve(address), HasStatus(StatusCode::kUnavailable, HasSubstr(address)));
}

TEST(TrainingMetricsServeTest, WhatIsNoAddressIsUnavailable) {
  for (const char* address : {"", "nonsense", "no.such.host.example:0", "127.0.0.1:x", "127.0.0.1:70000"}) {
    EXPECT_THAT(TrainingMetrics::Serve(address), HasStatus(StatusCode::kUnavailable, HasSubstr("cannot listen")))
        << address;
  }
}

TEST_F(TrainingMetricsTest, PromtoolFindsNothingToComplainAbout) {
  const std::string promtool = CANDOR_SOURCE_DIR "/.deps/tools/usr/bin/promtool";
  if (!std::filesystem::exists(promtool)) {
    GTEST_SKIP() << "promtool is not installed; the set-up puts it at " << promtool;
  }
  TakeSteps();
  Validate();
  TemporaryFolder folder;
  WriteContents(folder.File("page"), Page());
  std::string complaints;
  FILE* pipe = popen(absl::StrCat(promtool, " check metrics < ", folder.File("page"), " 2>&1").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char buffer[256];
  while (fgets(buffer, sizeof(buffer), pipe) != nullptr) complaints += buffer;
  const int status = pclose(pipe);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << complaints;
  EXPECT_EQ(complaints, "");
}

}  // namespace
}  // namespace candor
