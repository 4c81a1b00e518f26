// SPDX-License-Identifier: Apache-2.0
//
// How a robot uses candor: a frame each period, an answer before the next one or none, and a speed that follows from
// how far the answer can be trusted. No answer in time is an answer: stop.
//
//   robot_loop SERVER PERIOD_MS FRAME...      # files stand in for the camera; SERVER may be several, as A:P,B:P
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>

#include "client/segmentation_client.h"

namespace {

// Above this share of unsure pixels the frame is not driven on, whatever the verdict on the whole.
constexpr float kMostUnsure = 0.5F;

struct Decision {
  const char* action;
  std::string reason;
};

Decision Decide(const absl::StatusOr<candor::SegmentResult>& result) {
  if (!result.ok()) return {"stop", std::string(absl::StatusCodeToString(result.status().code()))};
  const candor::UncertaintyFigures& doubt = result->uncertainty[0].figures;
  std::ostringstream reason;
  reason << candor::VerdictName(result->verdict) << ", " << doubt.kind << " " << doubt.mean;
  if (result->verdict == candor::Verdict::kReject || doubt.share_above_threshold > kMostUnsure) {
    return {"stop", reason.str()};
  }
  // A model that is not calibrated gives no verdict: never full speed on its word.
  return {result->verdict == candor::Verdict::kAccept ? "drive" : "slow", reason.str()};
}

std::string ReadFrame(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

}  // namespace

int main(int argc, char** argv) {
  const int period_ms = argc > 3 ? std::atoi(argv[2]) : 0;
  if (period_ms < 1) {
    std::cerr << "usage: robot_loop SERVER PERIOD_MS FRAME...\n";
    return 2;
  }
  const auto client = candor::SegmentationClient::Create({argv[1]});
  if (!client.ok()) {
    std::cerr << "robot_loop: " << client.status().message() << "\n";
    return 2;
  }
  candor::SegmentOptions options;
  options.want_labels = false;  // the figures decide here; a planner would take the labels, too
  options.timeout = absl::Milliseconds(period_ms);
  auto next = std::chrono::steady_clock::now();
  for (int i = 3; i < argc; ++i) {
    const auto result = (*client)->SegmentEncoded(ReadFrame(argv[i]), options);
    const Decision decision = Decide(result);
    std::cout << argv[i] << ": " << decision.action << " (" << decision.reason << ")" << std::endl;
    next += std::chrono::milliseconds(period_ms);
    std::this_thread::sleep_until(next);
  }
  return 0;
}
