// SPDX-License-Identifier: Apache-2.0
//
// A real server in this process, on free ports, with two fake models.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/synchronization/notification.h"
#include "candor/v1/config.pb.h"
#include "candor/v1/segmentation.grpc.pb.h"
#include "core/image/image.h"
#include "server/server.h"
#include "tests/testing/fake_segmenter.h"

namespace candor {

// The body of an HTTP GET of `path`; "" on any error.
std::string HttpGet(const std::string& host_port, const std::string& path);

// A picture of one row, 4 pixels: red 0, 1, 2, 2 and green 0, 51, 102, 255. The fake's labels with 4 classes are 0, 1,
// 2, 2; its uncertainty is 0, 0.2, 0.4 and 1 of the kind's upper bound.
Image FourPixels();

// A request for the default model with FourPixels() as raw RGB.
v1::SegmentRequest RawRequest();
// A request with an encoded picture.
v1::SegmentRequest EncodedRequest(std::string bytes);

// Models "street" (a student, the default) and "committee" (an ensemble), four classes each.
class LiveServer {
 public:
  // `edit` changes the configuration before the start, which has to succeed.
  explicit LiveServer(const std::function<void(v1::ServerConfig*)>& edit = {});
  // A model of this description in place of the student "street".
  explicit LiveServer(ModelInfo street_info, const std::function<void(v1::ServerConfig*)>& edit = {});
  ~LiveServer();

  Server& server() { return *server_; }
  FakeSegmenter& street() { return *street_; }
  FakeSegmenter& committee() { return *committee_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  v1::Segmentation::Stub& stub() { return *stub_; }

  // One blocking call.
  grpc::Status Segment(const v1::SegmentRequest& request, v1::SegmentResponse* response);
  grpc::Status Segment(const v1::SegmentRequest& request);

  // The metrics page.
  std::string Scrape() const { return HttpGet(server_->metrics_address(), "/metrics"); }
  // Reads the page until it has the line `line`; false after 20 s.
  bool ScrapeUntil(const std::string& line) const;

 private:
  std::unique_ptr<InferenceScheduler> scheduler_;
  FakeSegmenter* street_ = nullptr;     // owned by the server
  FakeSegmenter* committee_ = nullptr;  // owned by the server
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Segmentation::Stub> stub_;
};

// A Segment call under way. Ends before it is destroyed: cancelled if nothing else.
class PendingCall {
 public:
  PendingCall(LiveServer* live, const v1::SegmentRequest& request,
              std::chrono::milliseconds timeout = std::chrono::seconds(60));
  ~PendingCall();

  void Cancel() { context_.TryCancel(); }
  const grpc::Status& Wait();
  const v1::SegmentResponse& response() const { return response_; }

 private:
  const v1::SegmentRequest request_;
  grpc::ClientContext context_;
  v1::SegmentResponse response_;
  grpc::Status status_;
  absl::Notification done_;
};

}  // namespace candor
