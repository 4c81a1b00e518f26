// SPDX-License-Identifier: Apache-2.0
//
// The C++ client library: one call a picture, or a stream of frames; plain structs, absl::Status for errors.
//
//   ASSIGN_OR_RETURN(auto client, candor::SegmentationClient::Create({"localhost:8500"}));
//   candor::SegmentOptions options;
//   options.uncertainty = {{"predictive_stddev"}};
//   ASSIGN_OR_RETURN(auto result, client->SegmentEncoded(jpeg_bytes, options));
//   // result.labels.values[y * result.labels.width + x] is the class, result.uncertainty[0].map.values the doubt.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/image/image.h"
#include "core/image/raw_image.h"

namespace candor {

struct ClientOptions {
  // HOST:PORT, or any gRPC target. Several servers, as "10.0.0.1:8500,10.0.0.2:8500" or "dns:///NAME:PORT" (every
  // address of the name): calls go round those whose health is SERVING, and a retry goes to the next.
  std::string server = "127.0.0.1:8500";
  absl::Duration timeout = absl::Seconds(30);      // of each call, retries included; always set
  int64_t max_message_bytes = int64_t{256} << 20;  // of a request or a reply; also what a retry may hold
  // TCP connections to each server, used in turn. One carries at most as many calls at a time as the server's limit of
  // streams, and large messages queue behind each other in it.
  int connections = 1;
  // TLS if tls_ca_file is set: PEM, the authorities that the server's certificate has to come from. The next two are
  // the client's own certificate and key, for a server that asks for one. They are read once.
  std::string tls_ca_file = {};
  std::string tls_certificate_file = {};
  std::string tls_key_file = {};
  std::string tls_server_name = {};  // in the server's certificate, if not the host in `server`
  // The token for a server with a token_file: nothing else in it, read again when it changes. Without TLS it is sent to
  // a loopback address only.
  std::string token_file = {};
};

struct UncertaintyOption {
  std::string kind;  // e.g. "predictive_stddev"; empty: the model's default
  bool want_map = true;
  std::optional<float> threshold = std::nullopt;  // unset: the server's
};

// Uncertain pixels get `index` in place of their label; all figures stay those of the model's labels.
struct AbstainOption {
  std::string kind;                     // empty: the model's default
  float threshold = 0;                  // in the kind's unit: above it the label goes
  std::vector<float> class_thresholds;  // by class; not empty: in place of `threshold`
  int index = 255;                      // no class of the model
};

// A rectangle of the upright picture's pixels.
struct RegionOption {
  int x = 0;  // of its left column
  int y = 0;  // of its top row
  int width = 0;
  int height = 0;
};

// Where a picture comes from; comes back with the answer. The server counts frames by camera.
struct FrameOrigin {
  std::string camera;     // at most 64 printable ASCII characters
  uint64_t sequence = 0;  // the camera's count
  int64_t stamp_ns = 0;   // when it was taken, on the caller's clock
  std::string frame_id;   // coordinate frame, as in ROS; as `camera`
};

// Who goes first when requests wait.
enum class RequestPriority { kLow, kNormal, kHigh };

// Asks a second model where the first is unsure; it answers only if the deadline allows, an ensemble with as many
// members as there is time for, at least two. SegmentResult::model says who answered, SegmentResult::escalation why.
struct EscalationOption {
  std::string model;  // name or alias of the second; empty: "teacher"
  // Pictures whose mean uncertainty is above it, of the first model's default kind. Unset: those whose verdict is not
  // kAccept, for a model that gives verdicts.
  std::optional<float> above = std::nullopt;
};

// How labels travel; what the caller gets is the same.
enum class LabelTransfer { kRaw, kRunLengths };

// How maps travel; the caller gets floats. Halves are half of the bytes, and round to 11 binary digits.
enum class MapTransfer { kFloats, kHalves };

struct SegmentOptions {
  std::string model;  // name or alias; empty: the server's default
  bool want_labels = true;
  LabelTransfer label_transfer = LabelTransfer::kRaw;  // run lengths: a tenth of the bytes or less of usual maps
  std::vector<UncertaintyOption> uncertainty;          // empty: statistics of the default kind
  MapTransfer map_transfer = MapTransfer::kFloats;
  std::optional<AbstainOption> abstain;
  std::optional<RegionOption> region;  // all of the answer is about these pixels alone; unset: the picture
  std::optional<FrameOrigin> frame;
  RequestPriority priority = RequestPriority::kNormal;
  // An answer of some of an ensemble's members, at least two, rather than none in time: see SegmentResult::members.
  bool anytime = false;
  std::optional<EscalationOption> escalation;  // unset: one model answers
  // What the request is called in the server's log, its errors and SegmentResult::request_id: 1 to 64 visible ASCII
  // characters. Empty: the server invents one.
  std::string request_id;
  std::string traceparent;  // the caller's place in a trace, as of W3C Trace Context; empty: none
  std::optional<absl::Duration> timeout = std::nullopt;  // unset: ClientOptions::timeout
};

struct UncertaintyFigures {
  std::string kind;
  float mean = 0;
  float max = 0;
  float median = 0;
  float p90 = 0;
  float p99 = 0;
  float threshold = 0;
  float share_above_threshold = 0;
};

struct UncertaintyResult {
  UncertaintyFigures figures;
  FloatMap map;  // empty unless asked for
};

struct ClassShare {
  int class_index = 0;
  float share = 0;
  float mean_uncertainty = 0;
};

// A group of classes of the model's bundle, such as "drivable".
struct GroupShare {
  std::string name;
  float share = 0;
  float mean_uncertainty = 0;  // 0 without a pixel
};

struct StageTimes {
  float decode_ms = 0;
  float queue_ms = 0;
  float infer_ms = 0;
  float encode_ms = 0;
};

// Whether to trust the picture's answer as a whole; kNone if the model is not calibrated.
enum class Verdict { kNone, kAccept, kReview, kReject };

absl::string_view VerdictName(Verdict verdict);  // "none", "accept", "review", "reject"

// What came of an escalation.
enum class EscalationOutcome {
  kNone,          // none was asked for, or it is not over: see SegmentationStream
  kNotNeeded,     // the first model was sure enough
  kEscalated,     // the answer is the second model's
  kNoTime,        // the deadline or the queue did not allow it: the answer is the first model's
  kSecondFailed,  // likewise: the second model failed
};

absl::string_view EscalationOutcomeName(EscalationOutcome outcome);  // "none", "not_needed" and so on

struct SegmentResult {
  std::string request_id;
  std::string model;
  int model_version = 0;
  std::string model_digest;
  int width = 0;  // of the picture, or of the region
  int height = 0;
  ByteMap labels;  // empty unless asked for
  // The model's default kind first, then the others asked for, then the verdict's if it is not among them.
  std::vector<UncertaintyResult> uncertainty;
  Verdict verdict = Verdict::kNone;
  std::vector<ClassShare> classes;       // largest first
  std::vector<GroupShare> groups;        // all of the model's
  std::optional<float> abstained_share;  // of all pixels; only if asked to abstain
  std::optional<FrameOrigin> frame;      // as in the request
  EscalationOutcome escalation = EscalationOutcome::kNone;
  int members = 0;  // predictions the answer is made of; 0: the server does not say
  StageTimes server_times;
  double round_trip_ms = 0;
};

struct KindDescription {
  std::string name;
  std::string unit;
  float range_max = 1;
};

struct ClassDescription {
  std::string name;
  Colour colour;
};

// A picture is accepted up to a mean of `kind` of accept_max, reviewed up to review_max, rejected above.
struct VerdictDescription {
  std::string kind;
  float accept_max = 0;
  float review_max = 0;
  float error_rate = 0;         // of the accepted validation pictures, at most
  float reject_error_rate = 0;  // of the accepted and reviewed ones together
};

struct CalibrationDescription {
  std::string data;  // what it was fitted on
  float temperature = 1;
  std::optional<VerdictDescription> verdict;
};

struct ModelDescription {
  std::string name;
  int version = 0;
  std::string digest;
  std::string kind;  // "student", "ensemble" or "single"
  std::vector<std::string> aliases;
  int members = 0;
  int damaged_members = 0;  // besides these, whose files the server could not read
  int predictions = 0;      // that one answer is made of: members, passes or views
  std::string sampling;     // "mc_dropout" or "augmentation": one network that gives several; empty: none
  std::string architecture;
  int width = 0;
  int64_t parameters = 0;
  std::vector<ClassDescription> classes;
  std::vector<KindDescription> uncertainty;  // the default first
  std::string device;
  std::string precision;  // "fp32", "bf16" or "int8"; empty from a server that does not say
  std::optional<CalibrationDescription> calibration;
};

struct ModelList {
  std::vector<ModelDescription> models;
  std::string default_model;
};

enum class HealthState { kServing, kNotServing, kUnknownService };

// A picture under way. Thread-safe. It goes on if the handle or the client is dropped.
class SegmentCall {
 public:
  virtual ~SegmentCall() = default;

  // The result becomes Cancelled, soon, unless the call has ended. The server stops working on it.
  virtual void Cancel() = 0;
  virtual bool HasEnded() const = 0;
  // Blocks until the call has ended; the first to ask reads and checks the reply, on its thread. Errors: as of
  // SegmentationClient::SegmentEncoded.
  virtual const absl::StatusOr<SegmentResult>& Wait() = 0;
};

// Runs once, as soon as the call has ended, on one of gRPC's few threads: it must not block for long. Wait() no longer
// waits, but reads the reply there; hand the call to another thread if it is large.
using SegmentDone = std::function<void(std::shared_ptr<SegmentCall> call)>;

class SegmentationStream;
struct StreamOptions;

// Thread-safe. Reconnects by itself; what a server that goes away leaves unanswered (UNAVAILABLE, or CANCELLED, though
// not by SegmentCall::Cancel) is retried up to four times with backoff within the timeout. An answer that breaks off
// (UNAVAILABLE, or UNKNOWN without a reason of the server's) is asked for once more, at once, within the same timeout;
// so is one that a server refuses because it is shutting down.
class SegmentationClient {
 public:
  // InvalidArgument: an empty server or a list that cannot be read, a timeout that is not positive, connections outside
  // [1, 64]. InvalidArgument or NotFound: a TLS or token file that cannot be used. Does not connect yet.
  static absl::StatusOr<std::unique_ptr<SegmentationClient>> Create(const ClientOptions& options);
  virtual ~SegmentationClient() = default;

  // Segments a JPEG or PNG file's bytes, or raw pixels. Errors: those of the service
  // (proto/candor/v1/segmentation.proto), with details (client/error_details.h); InvalidArgument: a request id or
  // traceparent that is not 1 to 64 visible ASCII characters; Internal: a reply that contradicts itself.
  virtual absl::StatusOr<SegmentResult> SegmentEncoded(absl::string_view file_bytes, const SegmentOptions& options) = 0;
  virtual absl::StatusOr<SegmentResult> SegmentRaw(const RawImage& image, const SegmentOptions& options) = 0;

  // The same without waiting: returns when the request is on its way; the picture may go. InvalidArgument: a request
  // that cannot be made; `done` does not run then.
  virtual absl::StatusOr<std::shared_ptr<SegmentCall>> StartSegmentEncoded(absl::string_view file_bytes,
                                                                           const SegmentOptions& options,
                                                                           SegmentDone done) = 0;
  virtual absl::StatusOr<std::shared_ptr<SegmentCall>> StartSegmentRaw(const RawImage& image,
                                                                       const SegmentOptions& options,
                                                                       SegmentDone done) = 0;

  // A stream of frames (client/segmentation_stream.h); it may outlive the client. Does not wait for the server.
  // InvalidArgument: options out of range.
  virtual absl::StatusOr<std::unique_ptr<SegmentationStream>> OpenStream(const StreamOptions& options) = 0;

  virtual absl::StatusOr<ModelList> ListModels() = 0;
  virtual absl::StatusOr<ModelDescription> GetModel(const std::string& name) = 0;
  // grpc.health.v1; "" asks for the process, "candor.v1.Segmentation" for readiness. Of several
  // servers one of those that can be reached answers.
  virtual absl::StatusOr<HealthState> CheckHealth(const std::string& service) = 0;
};

}  // namespace candor
