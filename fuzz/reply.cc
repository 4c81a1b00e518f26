// SPDX-License-Identifier: Apache-2.0
//
// What a hostile server sends our client: an answer on a stream or of one picture, a model's description, an error's
// details. The first byte has the bits of what was asked for; the rest is a serialized candor.v1.StreamResponse, a
// candor.v1.Model or any detail.
#include <cmath>
#include <string>

#include "absl/strings/cord.h"
#include "absl/time/time.h"
#include "client/error_details.h"
#include "client/messages.h"
#include "client/stream_messages.h"
#include "fuzz/target.h"
#include "wire/segmentation_messages.h"

namespace candor {
namespace {

// Frame k of a stream is of camera k % 2.
constexpr int kFrames = 4;

v1::SegmentRequest Asked(unsigned bits, int frame) {
  SegmentOptions options;
  options.want_labels = (bits & 1) != 0;
  if ((bits & 2) != 0) options.label_transfer = LabelTransfer::kRunLengths;
  if ((bits & 4) != 0) options.uncertainty = {{"predictive_stddev"}};
  if ((bits & 8) != 0) options.uncertainty.push_back({"margin", (bits & 1) != 0});
  if ((bits & 16) != 0) options.abstain = AbstainOption{"", 0.5F, {}, 255};
  if ((bits & 32) != 0) options.region = RegionOption{0, 0, 2, 2};
  if ((bits & 64) != 0) options.frame = FrameOrigin{frame % 2 == 0 ? "left" : "right", 0, 0, ""};
  const auto request = MakeSegmentRequest(options);
  Demand(request.ok(), "a request can be made", request.status().ToString());
  return *request;
}

// Text of the server's may be in it: unlike our server's, our client's errors are for programs first.
void DemandBadReply(const absl::Status& status) {
  Demand(absl::IsInternal(status), "a wrong reply is INTERNAL", status.ToString());
}

void DemandSound(const v1::SegmentRequest& request, const SegmentResult& result) {
  const int64_t pixels = int64_t{result.width} * result.height;
  Demand(result.width >= 1 && result.height >= 1, "a result has pixels");
  const bool has_labels = request.labels() != v1::LABEL_ENCODING_UNSPECIFIED;
  Demand(static_cast<int64_t>(result.labels.values.size()) == (has_labels ? pixels : 0), "a label for each pixel");
  Demand(!result.uncertainty.empty(), "figures of one kind at least");
  for (const UncertaintyResult& kind : result.uncertainty) {
    Demand(std::isfinite(kind.figures.mean) && kind.figures.mean >= 0, "figures are uncertainties");
    Demand(kind.map.values.empty() || static_cast<int64_t>(kind.map.values.size()) == pixels,
           "a map has a value for each pixel");
    for (const float value : kind.map.values) Demand(value >= 0 && std::isfinite(value), "a map has uncertainties");
  }
  for (const ClassShare& item : result.classes) Demand(item.share >= 0 && item.share <= 1, "a share is one");
}

// Sound, perhaps, and as large as our client takes: it would only cost time.
bool IsSlow(const v1::SegmentResponse& reply) {
  const int64_t pixels = int64_t{reply.width()} * reply.height();
  return pixels > 1 << 16 && pixels <= 1 << 28;
}

void ReadAnswer(unsigned bits, const Incoming<v1::StreamResponse>& incoming) {
  const v1::StreamResponse& answer = incoming.message;
  UnansweredFrames frames;
  for (int i = 0; i < kFrames; ++i) frames.Add({Asked(bits, i), absl::UnixEpoch()});
  auto frame = frames.Take(answer);
  if (!frame.ok()) {
    DemandBadReply(frame.status());
  } else {
    Demand(answer.index() < 2, "the oldest frame of its camera");
    Demand(!frames.Take(answer).ok(), "a frame is answered once");
  }
  if (IsSlow(answer.result())) return;
  const v1::SegmentRequest request = Asked(bits, 0);
  const auto read = ReadStreamAnswer(request, answer, &incoming.split);
  if (!read.ok()) {
    DemandBadReply(read.status());
  } else if (read->result() != nullptr) {
    DemandSound(request, *read->result());
  } else if (read->error() != nullptr) {
    Demand(!read->error()->ok(), "an error is none that is OK");
    const auto delay = RetryDelay(*read->error());
    Demand(!delay.has_value() || *delay >= absl::ZeroDuration(), "nobody waits less than no time");
  }
  const auto statistics = ReadStreamStatistics(kFrames, answer);
  if (!statistics.ok()) return DemandBadReply(statistics.status());
  Demand(statistics->index <= kFrames, "no more frames than were sent");
}

void ReadDescription(absl::string_view bytes) {
  v1::Model message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  const auto model = ReadModel(message);
  if (!model.ok()) return DemandBadReply(model.status());
  Demand(!model->classes.empty() && !model->uncertainty.empty(), "a model has classes and kinds");
}

void ReadDetails(absl::string_view bytes) {
  absl::Status status = absl::UnavailableError("try again");
  for (const char* type : {"ErrorInfo", "RetryInfo", "BadRequest"}) {
    status.SetPayload(std::string("type.googleapis.com/google.rpc.") + type, absl::Cord(bytes));
  }
  const auto delay = RetryDelay(status);
  Demand(!delay.has_value() || *delay >= absl::ZeroDuration(), "nobody waits less than no time");
  ErrorReason(status);
  ErrorRequestId(status);
  RefusedField(status);
}

}  // namespace
}  // namespace candor

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const absl::string_view bytes = candor::AsText(data + 1, size - 1);
  candor::Incoming<candor::v1::StreamResponse> answer;
  const grpc::Slice slice(bytes.data(), bytes.size());
  answer.bytes = grpc::ByteBuffer(&slice, 1);
  if (candor::Parse(&answer)) candor::ReadAnswer(data[0], answer);
  candor::ReadDescription(bytes);
  candor::ReadDetails(bytes);
  return 0;
}
