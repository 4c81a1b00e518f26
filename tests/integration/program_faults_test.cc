// SPDX-License-Identifier: Apache-2.0
//
// candor-server with the shipped models when it is stopped, killed or short of memory.
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "candor/v1/segmentation.grpc.pb.h"
#include "core/base/exit_code.h"
#include "core/image/encode.h"
#include "gmock/gmock.h"
#include "tests/integration/server_program.h"
#include "tests/server/live_server.h"
#include "tests/testing/sanitized.h"
#include "tests/testing/subprocess.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

namespace fs = std::filesystem;
using grpc::StatusCode;
using std::chrono::steady_clock;

constexpr char kStudent[] = CANDOR_SOURCE_DIR "/models/camvid-student";
constexpr char kTeacher[] = CANDOR_SOURCE_DIR "/models/camvid-teacher";
constexpr char kPicture[] = CANDOR_SOURCE_DIR "/models/samples/Seq05VD_f01740.jpg";
const std::vector<std::string> kTwoThreads = {"--threads", "2"};

// The number behind `key` in /proc/PID/status; 0 if there is none.
uint64_t StatusNumber(pid_t pid, const std::string& key, int base) {
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  for (std::string line; std::getline(status, line);) {
    if (absl::StartsWith(line, key)) return std::stoull(line.substr(key.size()), nullptr, base);
  }
  return 0;
}

// A candor-server that listens, and its client.
class RunningServer {
 public:
  explicit RunningServer(const std::string& bundle)
      : program_({bundle}, kTwoThreads),
        stub_(v1::Segmentation::NewStub(grpc::CreateChannel(program_.address(), grpc::InsecureChannelCredentials()))) {}

  Subprocess& process() { return program_.process(); }
  v1::Segmentation::Stub& stub() { return *stub_; }

  // False after 60 s.
  bool WaitForMetric(const std::string& line) const {
    const auto give_up = steady_clock::now() + std::chrono::seconds(60);
    while (steady_clock::now() < give_up) {
      if (absl::StrContains(HttpGet(program_.metrics_address(), "/metrics"), absl::StrCat("\n", line, "\n")))
        return true;
    }
    return false;
  }

 private:
  ServerProgram program_;
  const std::unique_ptr<v1::Segmentation::Stub> stub_;
};

// A Segment call under way; ends before it is destroyed.
class Call {
 public:
  Call(RunningServer* server, std::string picture) : request_(EncodedRequest(std::move(picture))) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(120));
    server->stub().async()->Segment(&context_, &request_, &response_, [this](const grpc::Status& status) {
      status_ = status;
      ended_.Notify();
    });
  }
  ~Call() { ended_.WaitForNotification(); }

  const grpc::Status& Wait() {
    ended_.WaitForNotification();
    return status_;
  }
  const v1::SegmentResponse& response() const { return response_; }

 private:
  const v1::SegmentRequest request_;
  grpc::ClientContext context_;
  v1::SegmentResponse response_;
  grpc::Status status_;
  absl::Notification ended_;
};

class ProgramFaultsTest : public testing::Test {
 protected:
  // `count` calls that the server has accepted and not yet answered.
  std::vector<std::unique_ptr<Call>> Accepted(RunningServer* server, int count) const {
    std::vector<std::unique_ptr<Call>> calls;
    for (int i = 0; i < count; ++i) calls.push_back(std::make_unique<Call>(server, picture_));
    EXPECT_TRUE(server->WaitForMetric(absl::StrCat("candor_requests_in_flight ", count)));
    return calls;
  }
  int VersionThatAnswers(RunningServer* server) const {
    Call call(server, picture_);
    EXPECT_TRUE(call.Wait().ok()) << call.Wait().error_message();
    return call.response().model().version();
  }

  const std::string picture_ = Contents(kPicture);
  const TemporaryFolder folder_;
};

TEST_F(ProgramFaultsTest, SigtermUnderLoadFailsNoAcceptedCall) {
  RunningServer server(kTeacher);
  const auto calls = Accepted(&server, 4);
  server.process().Signal(SIGTERM);
  for (const auto& call : calls) EXPECT_TRUE(call->Wait().ok()) << call->Wait().error_message();
  EXPECT_EQ(server.process().Wait().exit_code, 0);
  Call late(&server, picture_);
  EXPECT_EQ(late.Wait().error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(ProgramFaultsTest, ASecondSigtermEndsItAtOnce) {
  RunningServer server(kTeacher);
  const auto calls = Accepted(&server, 4);
  server.process().Signal(SIGTERM);
  // The first one is a change that can be seen: new calls are refused.
  while (Call(&server, "no picture").Wait().error_code() != StatusCode::UNAVAILABLE) {
  }
  server.process().Signal(SIGTERM);
  EXPECT_EQ(server.process().Wait().exit_code, static_cast<int>(ExitCode::kInterrupted));
}

TEST_F(ProgramFaultsTest, SigtermWhileItLoadsItsModelsEndsItCleanly) {
  Subprocess process(ServerCommand({kTeacher}, kTwoThreads));
  // From when it handles signals; the models come after that.
  const auto give_up = steady_clock::now() + std::chrono::seconds(60);
  while ((StatusNumber(process.pid(), "SigBlk:", 16) & (uint64_t{1} << (SIGTERM - 1))) == 0) {
    ASSERT_LT(steady_clock::now(), give_up);
    std::this_thread::yield();
  }
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait().exit_code, 0);
}

// SIGHUP loads version 2 beside version 1; the SIGKILL meets the load somewhere.
TEST_F(ProgramFaultsTest, KilledInTheMidstOfAReloadItStartsWithTheLastCompleteVersion) {
  const std::string model = folder_.File("camvid-teacher");
  fs::create_directories(model + "/3");
  fs::copy(kTeacher, model + "/1");
  fs::copy(absl::StrCat(kTeacher, "/member_0.safetensors"), model + "/3");  // a copy that goes no further
  {
    RunningServer server(model);
    EXPECT_EQ(VersionThatAnswers(&server), 1);
    fs::copy(kTeacher, model + "/2");
    server.process().Signal(SIGHUP);
    server.process().Signal(SIGKILL);
    EXPECT_EQ(server.process().Wait().exit_code, 128 + SIGKILL);
  }
  RunningServer server(model);
  EXPECT_EQ(VersionThatAnswers(&server), 2);
}

// A cgroup's limit ends the process by SIGKILL; one of its address space can be lived with.
TEST_F(ProgramFaultsTest, ARequestThatRunsOutOfMemoryHarmsNoOther) {
  if (kIsSanitized) GTEST_SKIP() << "the sanitizer has reserved address space of its own";
  RunningServer server(kStudent);
  const rlim_t size = StatusNumber(server.process().pid(), "VmSize:", 10) * 1024;
  const rlimit limit = {size + (rlim_t{300} << 20), RLIM_INFINITY};
  ASSERT_EQ(prlimit(server.process().pid(), RLIMIT_AS, &limit, nullptr), 0);
  const Image large{4096, 4096, std::vector<uint8_t>(size_t{3} * 4096 * 4096, 1)};
  const std::string large_png = EncodeRgbPng(large);
  for (int i = 0; i < 2; ++i) {
    Call call(&server, large_png);
    EXPECT_EQ(call.Wait().error_code(), StatusCode::RESOURCE_EXHAUSTED) << call.Wait().error_message();
    EXPECT_EQ(VersionThatAnswers(&server), 1);
  }
  server.process().Signal(SIGTERM);
  EXPECT_EQ(server.process().Wait().exit_code, 0);
}

}  // namespace
}  // namespace candor
