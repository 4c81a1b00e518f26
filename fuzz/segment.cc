// SPDX-License-Identifier: Apache-2.0
//
// A serialized candor.v1.SegmentRequest, from the message to the answer.
#include <cmath>
#include <string>

#include "absl/synchronization/notification.h"
#include "client/messages.h"
#include "core/image/run_lengths.h"
#include "fuzz/serving.h"
#include "fuzz/target.h"

namespace candor {
namespace {

constexpr int kClasses = 4;  // of both models

absl::Status Answer(const v1::SegmentRequest& request, v1::SegmentResponse* response) {
  SegmentTask task(FuzzServing(), {"Segment", {"fuzz", {}}}, request, response);
  absl::Notification done;
  absl::Status result;
  task.Start([&done, &result](const absl::Status& status) {
    result = status;
    done.Notify();
  });
  done.WaitForNotification();
  return result;
}

std::string Labels(const v1::SegmentResponse& reply) {
  if (reply.label_encoding() == v1::LABEL_RLE) {
    const auto labels = DecodeRuns(reply.labels(), int64_t{reply.width()} * reply.height());
    Demand(labels.ok(), "run lengths can be read", labels.status().ToString());
    return {labels->begin(), labels->end()};
  }
  if (reply.label_encoding() == v1::LABEL_PNG) {
    const auto labels = DecodeLabelPng(reply.labels(), kFuzzDecodeLimits);
    Demand(labels.ok() && labels->width == reply.width() && labels->height == reply.height(), "a PNG can be read",
           labels.status().ToString());
    return {labels->values.begin(), labels->values.end()};
  }
  return reply.labels();
}

void DemandLabels(const v1::SegmentRequest& request, const v1::SegmentResponse& reply) {
  Demand(reply.label_encoding() == request.labels(), "labels come as asked for");
  const std::string labels = Labels(reply);
  const bool is_asked = request.labels() != v1::LABEL_ENCODING_UNSPECIFIED;
  Demand(static_cast<int64_t>(labels.size()) == (is_asked ? int64_t{reply.width()} * reply.height() : 0),
         "a label for each pixel");
  const int abstain_index = request.abstain().has_index() ? request.abstain().index() : 255;
  for (const char c : labels) {
    const int label = static_cast<uint8_t>(c);
    Demand(label < kClasses || (request.has_abstain() && label == abstain_index), "a label is a class");
  }
}

void DemandMaps(const v1::SegmentRequest& request, const v1::SegmentResponse& reply) {
  int map = 0;
  for (const v1::UncertaintyRequest& asked : request.uncertainty()) {
    if (asked.encoding() == v1::MAP_ENCODING_UNSPECIFIED) continue;
    Demand(map < reply.maps_size() && reply.maps(map).encoding() == asked.encoding(), "maps come as asked for");
    const int bytes = asked.encoding() == v1::MAP_F32 ? 4 : asked.encoding() == v1::MAP_F16 ? 2 : 1;
    Demand(static_cast<int64_t>(reply.maps(map).data().size()) == int64_t{reply.width()} * reply.height() * bytes,
           "a map has a value for each pixel");
    ++map;
  }
  Demand(map == reply.maps_size(), "no map but those asked for");
}

// The client takes labels but as PNG, and maps as float32 alone.
bool IsOfTheClient(const v1::SegmentRequest& request) {
  return request.labels() != v1::LABEL_PNG &&
         std::all_of(request.uncertainty().begin(), request.uncertainty().end(), [](const v1::UncertaintyRequest& u) {
           return u.encoding() == v1::MAP_F32 || u.encoding() == v1::MAP_ENCODING_UNSPECIFIED;
         });
}

void DemandSound(const v1::SegmentRequest& request, const v1::SegmentResponse& reply) {
  Demand(reply.width() >= 1 && reply.height() >= 1, "an answer has pixels");
  Demand(int64_t{reply.width()} * reply.height() <= kFuzzDecodeLimits.max_pixels, "an answer is within the limit");
  DemandLabels(request, reply);
  DemandMaps(request, reply);
  double shares = 0;
  for (const v1::ClassStatistics& item : reply.classes()) shares += item.share();
  Demand(std::abs(shares - 1) < 1e-3, "the shares of the classes are the picture");
  Demand(request.has_escalation() == (reply.escalation() != v1::ESCALATION_OUTCOME_UNSPECIFIED),
         "what came of an escalation is said");
  if (!IsOfTheClient(request)) return;
  const auto result = ReadSegmentResponse(request, reply);
  Demand(result.ok(), "our client reads the answer", result.status().ToString());
}

void Serve(const v1::SegmentRequest& request) {
  v1::SegmentResponse reply;
  const absl::Status status = Answer(request, &reply);
  if (status.ok()) return DemandSound(request, reply);
  Demand(absl::IsInvalidArgument(status) || absl::IsNotFound(status) || absl::IsFailedPrecondition(status),
         "a refusal is the caller's fault", status.ToString());
  DemandOneLine(status);
}

}  // namespace
}  // namespace candor

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  candor::v1::SegmentRequest request;
  if (request.ParseFromArray(data, static_cast<int>(size))) candor::Serve(request);
  return 0;
}
