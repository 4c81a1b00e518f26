// SPDX-License-Identifier: Apache-2.0
//
// A serialized candor.v1.SegmentRequest, from the bytes off the network to those of the answer; and the same through
// generated code alone, which has to come out equal.
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "client/messages.h"
#include "core/image/run_lengths.h"
#include "fuzz/serving.h"
#include "fuzz/target.h"
#include "wire/segmentation_messages.h"

namespace candor {
namespace {

constexpr int kClasses = 4;  // of both models

// In slices, as a message comes off the network.
grpc::ByteBuffer Buffer(absl::string_view bytes) {
  const size_t slice_bytes = bytes.size() % 61 + 1;
  std::vector<grpc::Slice> slices;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(slice_bytes, bytes.size()))) {
    slices.emplace_back(bytes.data(), std::min(slice_bytes, bytes.size()));
  }
  return {slices.data(), slices.size()};
}

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  Demand(buffer.Dump(&slices).ok(), "a message can be read");
  std::string bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

absl::Status Wait(SegmentTask* task) {
  absl::Notification done;
  absl::Status result;
  task->Start([&done, &result](const absl::Status& status) {
    result = status;
    done.Notify();
  });
  done.WaitForNotification();
  return result;
}

// As a Segment call does it: pictures and maps stay outside of the messages.
absl::Status Answer(const Incoming<v1::SegmentRequest>& incoming, v1::SegmentResponse* reply) {
  v1::SegmentResponse message;
  std::vector<grpc::Slice> large_fields;
  SegmentTask task(FuzzServing(), {"Segment", {"fuzz", {}}}, incoming.message, &message,
                   PictureBytes{incoming.PictureData(incoming.message)}, &large_fields);
  absl::Status status = Wait(&task);
  if (!status.ok()) return status;
  const std::string bytes = BytesOf(Serialize(message, large_fields));
  Demand(!bytes.empty() && reply->ParseFromString(bytes), "an answer is a message");
  return status;
}

// All within messages, as for a frame of a stream.
absl::Status AnswerWithin(const v1::SegmentRequest& request, v1::SegmentResponse* reply) {
  SegmentTask task(FuzzServing(), {"SegmentStream", {"fuzz", {}}}, request, reply);
  return Wait(&task);
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

void Serve(const v1::SegmentRequest& request, const Incoming<v1::SegmentRequest>& incoming) {
  v1::SegmentResponse reply;
  const absl::Status status = Answer(incoming, &reply);
  if (request.image().has_raw()) {
    v1::SegmentResponse other;
    const absl::Status other_status = AnswerWithin(request, &other);
    Demand(status == other_status, "both ways end alike",
           absl::StrCat(status.ToString(), " ", other_status.ToString()));
    for (v1::SegmentResponse* each : {&reply, &other}) each->clear_timing();
    Demand(reply.SerializeAsString() == other.SerializeAsString(), "both ways give one answer");
  }
  if (status.ok()) return DemandSound(request, reply);
  Demand(absl::IsInvalidArgument(status) || absl::IsNotFound(status) || absl::IsFailedPrecondition(status),
         "a refusal is the caller's fault", status.ToString());
  DemandOneLine(status);
}

void Read(absl::string_view bytes) {
  v1::SegmentRequest request;
  const bool is_request = request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  Incoming<v1::SegmentRequest> incoming;
  incoming.bytes = Buffer(bytes);
  const bool is_read = Parse(&incoming);
  Demand(is_request || !is_read, "what is no message is refused");
  Demand(is_read || !is_request || incoming.split.fields.size() == kMostLargeFields, "what is a message is read");
  if (!is_read) return;
  v1::SegmentRequest whole = incoming.message;
  const std::string data = Concatenate(incoming.PictureData(incoming.message));
  if (whole.image().has_raw()) whole.mutable_image()->mutable_raw()->set_data(data);
  if (whole.image().has_encoded()) whole.mutable_image()->set_encoded(data);
  Demand(whole.SerializeAsString() == request.SerializeAsString(), "both ways read one message");
  Serve(request, incoming);
}

}  // namespace
}  // namespace candor

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  candor::Read(candor::AsText(data, size));
  return 0;
}
