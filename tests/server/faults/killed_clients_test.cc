// SPDX-License-Identifier: Apache-2.0
//
// Clients that end in the midst of a call, again and again, and floods of calls that are taken back.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/image/encode.h"
#include "gmock/gmock.h"
#include "server/config.h"
#include "tests/server/faults/raw_peer.h"
#include "tests/server/faults/secure_client.h"
#include "tests/server/live_server.h"
#include "tests/testing/sanitized.h"
#include "tests/testing/subprocess.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using std::chrono::steady_clock;

int64_t OpenFiles() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return std::distance(begin(files), end(files));
}

// False after 20 s.
bool WaitUntilFilesAre(int64_t most) {
  const auto give_up = steady_clock::now() + std::chrono::seconds(20);
  while (OpenFiles() > most) {
    if (steady_clock::now() > give_up) return false;
    std::this_thread::yield();
  }
  return true;
}

int64_t ResidentBytes() {
  int64_t size = 0;
  int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

class KilledClientsTest : public testing::Test {
 protected:
  // Kills `count` clients, each after its picture has reached the model. `bytes`: what a client sends.
  void Kill(int count, const std::string& bytes) {
    WriteContents(folder_.File("bytes"), bytes);
    const int port = ParseHostPort(live_.server().grpc_address())->port;
    for (int i = 0; i < count; ++i) {
      {
        const Subprocess client({CANDOR_SENDS_AND_WAITS, absl::StrCat(port), folder_.File("bytes")});
        live_.street().WaitForCalls(++calls_);
      }
      ASSERT_TRUE(live_.ScrapeUntil("candor_requests_in_flight 0"));
    }
  }
  // What `count` killed clients leave behind.
  void ExpectNothingLeft(int count, const std::string& bytes) {
    live_.street().Block();
    const int64_t files = OpenFiles();
    Kill(count / 5, bytes);  // after these all pools are filled
    ASSERT_TRUE(WaitUntilFilesAre(files));
    const int64_t resident = ResidentBytes();
    Kill(count, bytes);
    EXPECT_TRUE(WaitUntilFilesAre(files));
    if (!kIsSanitized) {
      EXPECT_LT(ResidentBytes() - resident, int64_t{4} << 20);
    }
    live_.street().Release();
    EXPECT_TRUE(live_.Segment(RawRequest()).ok());
  }

  const TemporaryFolder folder_;
  LiveServer live_{[](v1::ServerConfig* config) {
    config->set_max_pending_requests(2);  // one that is not given back is missed soon
    config->set_max_streams(2);
  }};
  int calls_ = 0;
};

TEST_F(KilledClientsTest, InTheMidstOfACallLeaveNothingBehind) {
  ExpectNothingLeft(200, ClientPreface() + WholeCall(1, kSegmentPath, RawRequest().SerializeAsString()));
}

TEST_F(KilledClientsTest, InTheMidstOfAStreamLeaveNothingBehind) {
  v1::StreamRequest request;
  *request.mutable_frame() = RawRequest();
  ExpectNothingLeft(200, ClientPreface() + CallHeaders(1, kSegmentStreamPath) +
                             MessageFrames(1, request.SerializeAsString(), /*is_last=*/false));
}

TEST_F(KilledClientsTest, OurOwnProgramToo) {
  const Image picture{16, 16, std::vector<uint8_t>(size_t{3} * 16 * 16, 1)};
  WriteContents(folder_.File("picture.png"), EncodeRgbPng(picture));
  live_.street().Block();
  for (int i = 0; i < 4; ++i) {
    const Subprocess client({CANDOR_CLIENT, "segment", folder_.File("picture.png"), "--server",
                             live_.server().grpc_address(), "--out", folder_.path()});
    live_.street().WaitForCalls(++calls_);
  }
  EXPECT_TRUE(live_.ScrapeUntil("candor_requests_in_flight 0"));
  live_.street().Release();
  EXPECT_TRUE(live_.Segment(RawRequest()).ok());
}

// CVE-2023-44487: each stream costs the peer a few bytes, and is no longer open when the next one comes.
TEST(RapidResetTest, AFloodOfCallsTakenBackAtOnceHoldsUpNobody) {
  constexpr int kCalls = 3000;
  LiveServer live([](v1::ServerConfig* config) {
    config->set_max_pending_requests(2);
    config->set_max_streams(2);
  });
  const int64_t files = OpenFiles();
  const std::string message = RawRequest().SerializeAsString();
  std::string flood = ClientPreface();
  for (int i = 0; i < kCalls; ++i) {
    const auto stream = static_cast<uint32_t>(2 * i + 1);
    const bool is_unary = i % 2 == 0;
    absl::StrAppend(&flood,
                    is_unary ? WholeCall(stream, kSegmentPath, message) : CallHeaders(stream, kSegmentStreamPath),
                    ResetFrame(stream));
  }
  const auto other = OpenChannel(live.server().grpc_address());
  {
    const RawPeer peer(live.server().grpc_address());
    ASSERT_TRUE(peer.Send(flood));
    EXPECT_TRUE(CallHealth(other).ok());
  }
  EXPECT_TRUE(live.ScrapeUntil("candor_requests_in_flight 0"));
  // A cancelled call may still hold one of the two places for a moment.
  const auto give_up = steady_clock::now() + std::chrono::seconds(20);
  while (!live.Segment(RawRequest()).ok()) ASSERT_LT(steady_clock::now(), give_up);
  EXPECT_TRUE(WaitUntilFilesAre(files + 8)) << "what the two channels of this test have";
}

}  // namespace
}  // namespace candor
