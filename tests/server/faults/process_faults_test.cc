// SPDX-License-Identifier: Apache-2.0
//
// What strikes the whole process: a wall clock that jumps, a stop, a log that nobody can write.
#include <grpcpp/grpcpp.h>
#include <poll.h>
#include <signal.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "candor/v1/segmentation.grpc.pb.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/server/faults/secure_client.h"
#include "tests/server/live_server.h"
#include "tests/testing/sanitized.h"
#include "tests/testing/subprocess.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using grpc::StatusCode;
using std::chrono::steady_clock;

constexpr int64_t kHour = 3600;

// A fault_server and a client of it.
class ServerProcess {
 public:
  // `around` comes before the server's command: a program that starts it.
  explicit ServerProcess(const std::string& configuration, std::vector<std::string> around = {})
      : process_(Command(configuration, std::move(around))),
        channel_(OpenChannel(process_.ReadLine())),
        metrics_address_(process_.ReadLine()),
        stub_(v1::Segmentation::NewStub(channel_)) {}

  Subprocess& process() { return process_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  StatusCode Segment(const v1::SegmentRequest& request, std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    v1::SegmentResponse response;
    return stub_->Segment(&context, request, &response).error_code();
  }

  // A call of the blocked student, under way from the constructor until it ends, after 20 s at the latest.
  class Pending {
   public:
    explicit Pending(ServerProcess* server) {
      context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
      server->stub_->async()->Segment(&context_, &request_, &response_, [this](const grpc::Status& status) {
        code_ = status.error_code();
        ended_.Notify();
      });
      while (!ended_.HasBeenNotified() && !server->HasOneInFlight()) {
      }
      EXPECT_FALSE(ended_.HasBeenNotified());
    }
    ~Pending() { ended_.WaitForNotification(); }
    StatusCode Wait() {
      ended_.WaitForNotification();
      return code_;
    }

   private:
    const v1::SegmentRequest request_ = RawRequest();
    grpc::ClientContext context_;
    v1::SegmentResponse response_;
    StatusCode code_ = StatusCode::UNKNOWN;
    absl::Notification ended_;
  };

 private:
  static std::vector<std::string> Command(const std::string& configuration, std::vector<std::string> around) {
    around.push_back(CANDOR_FAULT_SERVER);
    around.push_back("metrics_listen: '127.0.0.1:0' " + configuration);
    return around;
  }
  bool HasOneInFlight() const {
    return absl::StrContains(HttpGet(metrics_address_, "/metrics"), "\ncandor_requests_in_flight 1\n");
  }

  Subprocess process_;
  std::shared_ptr<grpc::Channel> channel_;
  std::string metrics_address_;
  std::unique_ptr<v1::Segmentation::Stub> stub_;
};

class ClockJumpTest : public testing::Test {
 protected:
  ClockJumpTest() { Jump(0); }
  // The server's wall clock is off by so many seconds from now on.
  void Jump(int64_t seconds) const {
    // In place: the server has the file mapped.
    std::fstream file(folder_.File("clock"),
                      std::ios::binary | (is_made_ ? std::ios::in | std::ios::out : std::ios::out));
    file.write(reinterpret_cast<const char*>(&seconds), sizeof(seconds));
    is_made_ = true;
  }
  std::vector<std::string> WithClock() const {
    return {"/usr/bin/env", absl::StrCat("LD_PRELOAD=", CANDOR_JUMPING_CLOCK),
            absl::StrCat("CANDOR_TEST_CLOCK=", folder_.File("clock"))};
  }

  const TemporaryFolder folder_;
  mutable bool is_made_ = false;
};

TEST_F(ClockJumpTest, RequestsAreAnsweredAndTheirTimesStaySane) {
  if (kIsSanitized) GTEST_SKIP() << "the sanitizer wants to be the first library";
  // A probe that took the jump for a time-out would end the process at once.
  ServerProcess server("self_probe_interval_ms: 500 self_probe_failures: 2", WithClock());
  server.process().Signal(SIGUSR1);
  for (const int64_t offset : {int64_t{0}, kHour, -kHour, int64_t{0}}) {
    Jump(offset);
    for (int i = 0; i < 20; ++i) ASSERT_EQ(server.Segment(RawRequest()), StatusCode::OK) << offset;
  }
  server.process().Signal(SIGTERM);
  const Finished finished = server.process().Wait();
  EXPECT_EQ(finished.exit_code, 0);
  int requests = 0;
  for (const absl::string_view line : absl::StrSplit(finished.err, '\n', absl::SkipEmpty())) {
    const nlohmann::json entry = nlohmann::json::parse(line);
    if (entry["message"] != "request") continue;
    ++requests;
    for (const char* time : {"total_ms", "decode_ms", "queue_ms", "infer_ms", "encode_ms"}) {
      EXPECT_GE(entry[time].get<double>(), 0) << line;
      EXPECT_LT(entry[time].get<double>(), 20000) << line;
    }
  }
  EXPECT_EQ(requests, 80);
}

TEST_F(ClockJumpTest, ADeadlineIsWhatItWas) {
  if (kIsSanitized) GTEST_SKIP() << "the sanitizer wants to be the first library";
  for (const int64_t offset : {kHour, -kHour}) {
    Jump(0);
    ServerProcess server("", WithClock());
    ServerProcess::Pending pending(&server);
    Jump(offset);
    const auto start = steady_clock::now();
    EXPECT_EQ(server.Segment(RawRequest(), std::chrono::milliseconds(300)), StatusCode::DEADLINE_EXCEEDED);
    EXPECT_GE(steady_clock::now() - start, std::chrono::milliseconds(290)) << offset;
    server.process().Signal(SIGUSR1);
    EXPECT_EQ(pending.Wait(), StatusCode::OK) << "it has 20 s";
  }
}

TEST_F(ClockJumpTest, ADrainTakesTheTimeItHas) {
  if (kIsSanitized) GTEST_SKIP() << "the sanitizer wants to be the first library";
  for (const int64_t offset : {kHour, -kHour}) {
    Jump(offset);
    ServerProcess server("drain_timeout_ms: 400", WithClock());
    ServerProcess::Pending pending(&server);
    const auto start = steady_clock::now();
    server.process().Signal(SIGTERM);
    EXPECT_EQ(pending.Wait(), StatusCode::UNAVAILABLE) << "cancelled by the drain, not at its own deadline";
    EXPECT_GE(steady_clock::now() - start, std::chrono::milliseconds(390)) << "not at once";
    EXPECT_EQ(server.process().Wait().exit_code, 0);
  }
}

TEST(StopTest, AProcessThatWasStoppedGoesOn) {
  ServerProcess server("self_probe_interval_ms: 200 self_probe_failures: 3");
  ASSERT_EQ(CallHealth(server.channel()).error_code(), StatusCode::OK);
  ServerProcess::Pending before(&server);
  for (int i = 0; i < 3; ++i) {
    server.process().Signal(SIGSTOP);
    EXPECT_EQ(server.Segment(RawRequest(), std::chrono::milliseconds(400)), StatusCode::DEADLINE_EXCEEDED)
        << "two intervals of the probe";
    server.process().Signal(SIGCONT);
    EXPECT_EQ(CallHealth(server.channel()).error_code(), StatusCode::OK);
  }
  server.process().Signal(SIGUSR1);
  EXPECT_EQ(before.Wait(), StatusCode::OK) << "on the same connection";
  EXPECT_EQ(server.Segment(RawRequest()), StatusCode::OK);
  server.process().Signal(SIGTERM);
  EXPECT_EQ(server.process().Wait().exit_code, 0);
}

TEST(FullDiskTest, AServerThatCannotWriteItsLogGoesOn) {
  ServerProcess server("log_level: 'debug'", {"/bin/sh", "-c", "exec \"$0\" \"$@\" 2> /dev/full"});
  server.process().Signal(SIGUSR1);
  for (int i = 0; i < 20; ++i) ASSERT_EQ(server.Segment(RawRequest()), StatusCode::OK);
  server.process().Signal(SIGTERM);
  EXPECT_EQ(server.process().Wait().exit_code, 0);
}

// gRPC 1.51 checks a message's size once it has it all; the quota is what bounds it until then.
TEST(LargeMessageTest, AMessageFarOverTheLimitIsNeitherAnsweredNorBuffered) {
  if (kIsSanitized) GTEST_SKIP() << "the sanitizer's own memory would be measured";
  constexpr int64_t kMiB = 1 << 20;
  ServerProcess server("max_message_bytes: 1048576 message_memory_bytes: 16777216");
  server.process().Signal(SIGUSR1);
  ASSERT_EQ(server.Segment(RawRequest()), StatusCode::OK);
  const int64_t before = server.process().PeakMemory();
  EXPECT_NE(server.Segment(EncodedRequest(std::string(256 * kMiB, 'x'))), StatusCode::OK);
  EXPECT_LT(server.process().PeakMemory() - before, 64 * kMiB);
  EXPECT_EQ(server.Segment(RawRequest()), StatusCode::OK);
}

// No file may have a byte, as on a full disk; the log goes to a pipe.
TEST(FullDiskTest, RefusedPicturesThatCannotBeKeptCostOneWarningAndNoRequest) {
  const TemporaryFolder folder;
  ServerProcess server(absl::StrCat("refused_dump_dir: '", folder.path(), "'"),
                       {"/bin/bash", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\" 2>&1"});
  server.process().Signal(SIGUSR1);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(server.Segment(EncodedRequest("no picture")), StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(server.Segment(RawRequest()), StatusCode::OK);
  }
  server.process().Signal(SIGTERM);
  const Finished finished = server.process().Wait();
  EXPECT_EQ(finished.exit_code, 0);
  int warnings = 0;
  for (const absl::string_view line : absl::StrSplit(finished.out, '\n', absl::SkipEmpty())) {
    const nlohmann::json entry = nlohmann::json::parse(line);
    if (entry["level"] != "warning") continue;
    ++warnings;
    EXPECT_THAT(entry["message"].get<std::string>(), testing::HasSubstr("a refused picture is not kept"));
    EXPECT_THAT(entry["error"].get<std::string>(), testing::HasSubstr(folder.path()));
  }
  EXPECT_EQ(warnings, 1);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(FullDiskTest, AServerWhoseLogIsAPipeThatNobodyReadsAnyMoreGoesOn) {
  ServerProcess server("log_level: 'debug'", {"/bin/bash", "-c", "exec \"$0\" \"$@\" 2> >(exit 0)"});
  server.process().Signal(SIGUSR1);
  for (int i = 0; i < 20; ++i) ASSERT_EQ(server.Segment(RawRequest()), StatusCode::OK);
  server.process().Signal(SIGTERM);
  EXPECT_EQ(server.process().Wait().exit_code, 0);
}

}  // namespace
}  // namespace candor
