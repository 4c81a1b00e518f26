// SPDX-License-Identifier: Apache-2.0
//
// The end of a server that is under load.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <map>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/server/faults/secure_client.h"
#include "tests/server/live_server.h"

namespace candor {
namespace {

using grpc::StatusCode;

// Segment calls under way at the same time, counted by outcome.
class ManyCalls {
 public:
  ManyCalls(LiveServer* live, int count) : request_(RawRequest()), calls_(static_cast<size_t>(count)) {
    for (Call& call : calls_) {
      call.context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(120));
      live->stub().async()->Segment(&call.context, &request_, &call.response, [this](const grpc::Status& status) {
        absl::MutexLock lock(&mu_);
        ++outcomes_[status.error_code()];
        ++ended_;
      });
    }
  }
  ~ManyCalls() { WaitForEnds(static_cast<int>(calls_.size())); }
  ManyCalls(const ManyCalls&) = delete;
  ManyCalls& operator=(const ManyCalls&) = delete;

  // Returns once `count` calls have ended, in all.
  void WaitForEnds(int count) {
    absl::MutexLock lock(&mu_);
    const auto has_come = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return ended_ >= count; };
    mu_.Await(absl::Condition(&has_come));
  }
  std::map<StatusCode, int> outcomes() {
    absl::MutexLock lock(&mu_);
    return outcomes_;
  }

 private:
  struct Call {
    grpc::ClientContext context;
    v1::SegmentResponse response;
  };

  const v1::SegmentRequest request_;
  absl::Mutex mu_;
  int ended_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<StatusCode, int> outcomes_ ABSL_GUARDED_BY(mu_);
  std::vector<Call> calls_;
};

TEST(DrainFaultsTest, NoneOfAThousandAcceptedRequestsFails) {
  constexpr int kRequests = 1000;
  LiveServer live([](v1::ServerConfig* config) {
    config->set_max_pending_requests(kRequests);
    config->set_max_concurrent_streams(2 * kRequests);
  });
  live.street().Block();
  ManyCalls calls(&live, kRequests + 1);
  calls.WaitForEnds(1);  // one is refused: the others have all the places
  ASSERT_EQ(calls.outcomes(), (std::map<StatusCode, int>{{StatusCode::RESOURCE_EXHAUSTED, 1}}));
  std::thread drainer([&live] { live.server().Drain(); });
  while (live.Segment(RawRequest()).error_code() != StatusCode::UNAVAILABLE) {
  }
  live.street().Release();
  calls.WaitForEnds(kRequests + 1);
  drainer.join();
  EXPECT_EQ(calls.outcomes(),
            (std::map<StatusCode, int>{{StatusCode::OK, kRequests}, {StatusCode::RESOURCE_EXHAUSTED, 1}}));
}

TEST(DrainFaultsTest, DuringTheDelayTheServerSaysNotServingAndStillAccepts) {
  LiveServer live([](v1::ServerConfig* config) { config->set_drain_delay_ms(2000); });
  std::thread drainer([&live] { live.server().Drain(); });
  const auto health = grpc::health::v1::Health::NewStub(live.channel());
  grpc::health::v1::HealthCheckResponse response;
  do {
    grpc::ClientContext context;
    ASSERT_TRUE(health->Check(&context, {}, &response).ok());
  } while (response.status() == grpc::health::v1::HealthCheckResponse::SERVING);
  EXPECT_TRUE(live.Segment(RawRequest()).ok());
  drainer.join();
  EXPECT_EQ(live.Segment(RawRequest()).error_code(), StatusCode::UNAVAILABLE);
}

TEST(DrainFaultsTest, AnOldConnectionIsClosedWithoutAFailedCall) {
  LiveServer live([](v1::ServerConfig* config) {
    config->set_max_connection_age_ms(100);
    config->set_max_connection_age_grace_ms(10000);
  });
  const auto channel = OpenChannel(live.server().grpc_address());
  ASSERT_TRUE(CallHealth(channel).ok());
  // The state leaves READY when the connection is closed.
  EXPECT_TRUE(
      channel->WaitForStateChange(GRPC_CHANNEL_READY, std::chrono::system_clock::now() + std::chrono::seconds(20)));
  EXPECT_TRUE(CallHealth(channel).ok()) << "on a new connection";
}

}  // namespace
}  // namespace candor
