// SPDX-License-Identifier: Apache-2.0
//
// A server in this process whose answers are known by arithmetic, for tests of the client and its command line.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "candor/v1/segmentation.grpc.pb.h"
#include "core/image/image.h"

namespace candor {

using SegmentHandler = std::function<grpc::Status(const v1::SegmentRequest&, v1::SegmentResponse*)>;
// For those that look at the call itself.
using SegmentCallHandler =
    std::function<grpc::Status(grpc::ServerContext*, const v1::SegmentRequest&, v1::SegmentResponse*)>;
using StreamHandler =
    std::function<grpc::Status(grpc::ServerContext*, grpc::ServerReaderWriter<v1::StreamResponse, v1::StreamRequest>*)>;

// Two models, "student" (the default) and "teacher", of three classes: road (128, 64, 128), sky (0, 128, 255), tree
// (0, 255, 0); kinds predictive_stddev (range 1) and predictive_entropy (range ln 3). The student is calibrated:
// temperature 1.25, verdict by predictive_stddev, 0.05 and 0.2, error rates 0.04 and 0.08.
v1::Model FakeModel(const std::string& name);

// Answers consistently. Student: label (x + y) mod 3; uncertainty (i mod 8) / 16 at pixel i, 10 ms of inference.
// Teacher: the same but label 0 in the first row, twice the uncertainty, 40 ms. The figures do not follow from the
// maps: mean 0.1, max 0.9, median 0.05, p90 0.25, p99 0.5, threshold as asked or 0.3, share above 0.125. One
// group, "drivable", share 0.25, mean 0.4. Abstains by its own map whatever the kind. The student's
// verdict is REVIEW; the teacher gives none. Frame as sent; 1 or 10 members, but 3 with `anytime`. An escalation is
// needed by the verdict or the mean; then the answer is that of its model, "teacher" if it names none. INVALID_ARGUMENT
// "image.encoded: ..." for what DecodeImage refuses, NOT_FOUND for another model.
grpc::Status AnswerFaithfully(const v1::SegmentRequest& request, v1::SegmentResponse* reply);

// Listens on a free port of 127.0.0.1 until it is destroyed. Thread-safe.
class FakeServer {
 public:
  explicit FakeServer(SegmentHandler handler = AnswerFaithfully);
  explicit FakeServer(SegmentCallHandler handler);
  ~FakeServer();

  // Closes the port once the calls under way have ended, or cuts them off; Start listens on the same one again.
  void Stop();
  void StopAtOnce();
  void Start();

  std::string address() const;
  // Segment calls so far, and the last one's request.
  int calls() const;
  v1::SegmentRequest last_request() const;
  // Connections that Segment calls have come over so far.
  int connections() const;
  // Models with these names, in place of student and teacher.
  void SetModels(const std::vector<v1::Model>& models);
  // How later streams are served. At first: each frame as a call would be, one after the other, a preliminary answer
  // before one that was escalated; then the statistics.
  void SetStream(StreamHandler handler);
  // The options of the last stream served so.
  v1::StreamOptions last_options() const;
  // grpc.health.v1: "candor.v1.Segmentation" is serving from the start.
  void SetServing(const std::string& service, bool serving);

 private:
  class Service;

  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

// An address of this machine that refuses connections for as long as the object lives.
class DeadAddress {
 public:
  DeadAddress();
  ~DeadAddress();
  DeadAddress(const DeadAddress&) = delete;
  DeadAddress& operator=(const DeadAddress&) = delete;

  const std::string& address() const { return address_; }

 private:
  int socket_ = -1;
  std::string address_;
};

}  // namespace candor
