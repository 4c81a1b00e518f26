// SPDX-License-Identifier: Apache-2.0
//
// The example, built against the installed client.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/base/file.h"
#include "core/image/encode.h"
#include "tests/client/fake_service.h"
#include "tests/testing/subprocess.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using testing::HasSubstr;

class RobotLoopTest : public testing::Test {
 protected:
  RobotLoopTest() { WriteContents(frame_, EncodeRgbPng({4, 2, std::vector<uint8_t>(24, 100)})); }

  Finished Run(const std::string& server, const std::string& period_ms) {
    return RunProgram({ROBOT_LOOP, server, period_ms, frame_, frame_});
  }
  // Both frames' lines, with this decision.
  std::string Twice(const std::string& decision) {
    return frame_ + ": " + decision + "\n" + frame_ + ": " + decision + "\n";
  }

  TemporaryFolder folder_;
  const std::string frame_ = folder_.File("frame.png");
};

TEST_F(RobotLoopTest, ActsOnTheVerdict) {
  const std::pair<v1::Verdict, std::string> cases[] = {{v1::ACCEPT, "drive (accept, predictive_stddev 0.1)"},
                                                       {v1::REVIEW, "slow (review, predictive_stddev 0.1)"},
                                                       {v1::REJECT, "stop (reject, predictive_stddev 0.1)"},
                                                       {v1::VERDICT_UNSPECIFIED, "slow (none, predictive_stddev 0.1)"}};
  for (const auto& [verdict, decision] : cases) {
    const v1::Verdict given = verdict;
    FakeServer server([given](const v1::SegmentRequest& request, v1::SegmentResponse* reply) {
      grpc::Status status = AnswerFaithfully(request, reply);
      reply->set_verdict(given);
      return status;
    });
    // Long enough for a loaded machine: the test is not of speed.
    const Finished run = Run(server.address(), "500");
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_EQ(run.out, Twice(decision));
  }
}

TEST_F(RobotLoopTest, StopsWithoutAnAnswerInTime) {
  FakeServer server([](grpc::ServerContext* context, const v1::SegmentRequest&, v1::SegmentResponse*) {
    while (!context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  });
  EXPECT_EQ(Run(server.address(), "100").out, Twice("stop (DEADLINE_EXCEEDED)"));
}

TEST_F(RobotLoopTest, SaysHowItIsUsed) {
  EXPECT_EQ(RunProgram({ROBOT_LOOP}).exit_code, 2);
  EXPECT_THAT(RunProgram({ROBOT_LOOP, "a,b", "10", frame_}).err, HasSubstr("a list must have numeric addresses"));
}

TEST(InstalledProgramTest, Runs) { EXPECT_THAT(RunProgram({CANDOR_INSTALLED, "--version"}).out, HasSubstr("candor ")); }

}  // namespace
}  // namespace candor
