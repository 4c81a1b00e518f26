// SPDX-License-Identifier: Apache-2.0
//
// Conversion and checks of the messages.
#include "client/messages.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/gathered_values.h"
#include "core/base/status_macros.h"
#include "core/image/run_lengths.h"

namespace candor {
namespace {

std::string KindName(v1::UncertaintyKind kind) { return absl::AsciiStrToLower(v1::UncertaintyKind_Name(kind)); }

template <typename... Parts>
absl::Status BadReply(const Parts&... parts) {
  return absl::InternalError(absl::StrCat("the server's reply contradicts itself: ", parts...));
}

absl::StatusOr<v1::UncertaintyKind> ParseKind(absl::string_view name) {
  if (name.empty()) return v1::UNCERTAINTY_KIND_UNSPECIFIED;
  const std::vector<std::string> known = AllKindNames();
  v1::UncertaintyKind kind = v1::UNCERTAINTY_KIND_UNSPECIFIED;
  if (std::find(known.begin(), known.end(), name) == known.end() ||
      !v1::UncertaintyKind_Parse(absl::AsciiStrToUpper(name), &kind)) {
    return absl::InvalidArgumentError(
        absl::StrCat("uncertainty kind: must be one of ", absl::StrJoin(known, ", "), ", got \"", name, "\""));
  }
  return kind;
}

absl::Status CheckFrameText(absl::string_view field, const std::string& text) {
  if (text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isprint(c); })) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": must be at most 64 printable ASCII characters, got \"", absl::CEscape(text), "\""));
}

absl::Status AddFrame(const FrameOrigin& origin, v1::SegmentRequest* request) {
  RETURN_IF_ERROR(CheckFrameText("frame.camera", origin.camera));
  RETURN_IF_ERROR(CheckFrameText("frame.frame_id", origin.frame_id));
  v1::Frame* frame = request->mutable_frame();
  frame->set_camera(origin.camera);
  frame->set_sequence(origin.sequence);
  frame->set_stamp_ns(origin.stamp_ns);
  frame->set_frame_id(origin.frame_id);
  return absl::OkStatus();
}

v1::Priority ToProto(RequestPriority priority) {
  switch (priority) {
    case RequestPriority::kLow:
      return v1::PRIORITY_LOW;
    case RequestPriority::kNormal:
      return v1::PRIORITY_NORMAL;
    case RequestPriority::kHigh:
      return v1::PRIORITY_HIGH;
  }
  return v1::PRIORITY_UNSPECIFIED;
}

// The largest picture that a server can be told to take (max_pixels). A label map of run lengths is a few bytes,
// however large it claims to be.
constexpr int64_t kMostPixels = int64_t{1} << 28;

bool IsShare(float value) { return value >= 0 && value <= 1; }  // false for NaN
bool IsUncertainty(float value) { return std::isfinite(value) && value >= 0; }

absl::StatusOr<UncertaintyFigures> ReadStatistics(const v1::UncertaintyStatistics& in, int index) {
  UncertaintyFigures out;
  out.kind = KindName(in.kind());
  if (out.kind.empty() || in.kind() == v1::UNCERTAINTY_KIND_UNSPECIFIED) {
    return BadReply("statistics[", index, "].kind: unknown value ", static_cast<int>(in.kind()));
  }
  out.mean = in.mean();
  out.max = in.max();
  out.median = in.median();
  out.p90 = in.p90();
  out.p99 = in.p99();
  out.threshold = in.threshold();
  out.share_above_threshold = in.share_above_threshold();
  for (const float value : {out.mean, out.max, out.median, out.p90, out.p99, out.threshold}) {
    if (!IsUncertainty(value)) {
      return BadReply("statistics[", index, "]: figures must be finite and >= 0, got ", value);
    }
  }
  if (!IsShare(out.share_above_threshold)) {
    return BadReply("statistics[", index, "].share_above_threshold: must be in [0, 1], got ",
                    out.share_above_threshold);
  }
  return out;
}

absl::StatusOr<FloatMap> ReadMap(const v1::UncertaintyMap& in, v1::MapEncoding asked, const SplitMessage* split,
                                 int width, int height, int index) {
  const int64_t pixels = int64_t{width} * height;
  if (in.encoding() != asked) {
    return BadReply("maps[", index, "].encoding: asked for ", v1::MapEncoding_Name(asked), ", got ",
                    v1::MapEncoding_Name(in.encoding()));
  }
  const bool are_halves = asked == v1::MAP_F16;
  const int64_t bytes = pixels * (are_halves ? 2 : 4);
  const BytePieces pieces = PiecesOf(in.data(), split);
  if (SizeOf(pieces) != bytes) {
    return BadReply("maps[", index, "].data: ", width, "x", height, are_halves ? " float16" : " float32", " need ",
                    bytes, " bytes, got ", SizeOf(pieces));
  }
  FloatMap map{width, height, are_halves ? GatherHalves(pieces) : GatherFloats(pieces)};
  if (!AreUncertainties(map.values)) {
    return BadReply("maps[", index, "].data: values must be finite and >= 0");
  }
  return map;
}

absl::Status ReadLabels(const v1::SegmentRequest& request, const v1::SegmentResponse& reply, const SplitMessage* split,
                        SegmentResult* result) {
  if (reply.label_encoding() != request.labels()) {
    return BadReply("label_encoding: asked for ", v1::LabelEncoding_Name(request.labels()), ", got ",
                    v1::LabelEncoding_Name(reply.label_encoding()));
  }
  const BytePieces pieces = PiecesOf(reply.labels(), split);
  if (request.labels() == v1::LABEL_RLE) {
    absl::StatusOr<std::vector<uint8_t>> labels =
        DecodeRuns(Concatenate(pieces), int64_t{reply.width()} * reply.height());
    if (!labels.ok()) return BadReply("labels: ", labels.status().message());
    result->labels = {reply.width(), reply.height(), *std::move(labels)};
    return absl::OkStatus();
  }
  const bool wanted = request.labels() == v1::LABEL_RAW;
  const int64_t bytes = wanted ? int64_t{reply.width()} * reply.height() : 0;
  if (SizeOf(pieces) != bytes) {
    return BadReply("labels: ", reply.width(), "x", reply.height(), " need ", bytes, " bytes, got ", SizeOf(pieces));
  }
  if (!wanted) return absl::OkStatus();
  result->labels = {reply.width(), reply.height(), GatherBytes(pieces)};
  return absl::OkStatus();
}

// Each asked kind must have statistics; each asked map must be there, in the order asked for.
absl::Status ReadUncertainty(const v1::SegmentRequest& request, const v1::SegmentResponse& reply,
                             const SplitMessage* split, SegmentResult* result) {
  for (const auto& statistics : reply.statistics()) {
    ASSIGN_OR_RETURN(UncertaintyFigures figures,
                     ReadStatistics(statistics, static_cast<int>(result->uncertainty.size())));
    result->uncertainty.push_back({std::move(figures), {}});
  }
  if (result->uncertainty.empty()) return BadReply("statistics: must hold the model's default kind, got none");
  int map_index = 0;
  for (const auto& asked : request.uncertainty()) {
    const std::string kind =
        asked.kind() == v1::UNCERTAINTY_KIND_UNSPECIFIED ? result->uncertainty[0].figures.kind : KindName(asked.kind());
    const auto entry = std::find_if(result->uncertainty.begin(), result->uncertainty.end(),
                                    [&](const UncertaintyResult& r) { return r.figures.kind == kind; });
    if (entry == result->uncertainty.end()) return BadReply("statistics: ", kind, " was asked for and is missing");
    if (asked.encoding() == v1::MAP_ENCODING_UNSPECIFIED) continue;
    if (map_index >= reply.maps_size() || KindName(reply.maps(map_index).kind()) != kind) {
      return BadReply("maps[", map_index, "]: ", kind, " was asked for and is missing");
    }
    ASSIGN_OR_RETURN(entry->map,
                     ReadMap(reply.maps(map_index), asked.encoding(), split, reply.width(), reply.height(), map_index));
    ++map_index;
  }
  if (map_index != reply.maps_size()) {
    return BadReply("maps: asked for ", map_index, ", got ", reply.maps_size());
  }
  return absl::OkStatus();
}

absl::Status ReadClasses(const v1::SegmentResponse& reply, SegmentResult* result) {
  for (const v1::ClassStatistics& in : reply.classes()) {
    if (in.class_index() < 0 || in.class_index() > 254 || !IsShare(in.share()) ||
        !IsUncertainty(in.mean_uncertainty())) {
      return BadReply("classes: index ", in.class_index(), ", share ", in.share(), ", mean uncertainty ",
                      in.mean_uncertainty(), " must be in [0, 254], in [0, 1], finite and >= 0");
    }
    result->classes.push_back({in.class_index(), in.share(), in.mean_uncertainty()});
  }
  return absl::OkStatus();
}

absl::Status ReadGroups(const v1::SegmentResponse& reply, SegmentResult* result) {
  for (const v1::GroupStatistics& in : reply.groups()) {
    if (!IsShare(in.share()) || !IsUncertainty(in.mean_uncertainty())) {
      return BadReply("groups: share ", in.share(), " and mean uncertainty ", in.mean_uncertainty(), " of ", in.name(),
                      " must be in [0, 1], finite and >= 0");
    }
    result->groups.push_back({in.name(), in.share(), in.mean_uncertainty()});
  }
  return absl::OkStatus();
}

absl::Status ReadAbstention(const v1::SegmentRequest& request, const v1::SegmentResponse& reply,
                            SegmentResult* result) {
  if (request.has_abstain() != reply.has_abstained_share()) {
    return BadReply("abstained_share: ", request.has_abstain() ? "was asked for and is missing" : "was not asked for");
  }
  if (!reply.has_abstained_share()) return absl::OkStatus();
  if (!IsShare(reply.abstained_share())) {
    return BadReply("abstained_share: must be in [0, 1], got ", reply.abstained_share());
  }
  result->abstained_share = reply.abstained_share();
  return absl::OkStatus();
}

// The size asked for, where the request says it.
absl::Status CheckSize(const v1::SegmentRequest& request, const v1::SegmentResponse& reply) {
  if (reply.width() < 1 || reply.height() < 1) {
    return BadReply("width and height: must be >= 1, got ", reply.width(), "x", reply.height());
  }
  if (int64_t{reply.width()} * reply.height() > kMostPixels) {
    return BadReply("width and height: must be at most ", kMostPixels, " pixels, got ", reply.width(), "x",
                    reply.height());
  }
  if (!request.has_region() && !request.image().has_raw()) return absl::OkStatus();
  const bool is_part = request.has_region();
  const int width = is_part ? request.region().width() : request.image().raw().width();
  const int height = is_part ? request.region().height() : request.image().raw().height();
  if (width == reply.width() && height == reply.height()) return absl::OkStatus();
  return BadReply("width and height: ", is_part ? "asked for " : "sent ", width, "x", height, ", got ", reply.width(),
                  "x", reply.height());
}

absl::StatusOr<Verdict> ReadVerdict(v1::Verdict verdict) {
  switch (verdict) {
    case v1::VERDICT_UNSPECIFIED:
      return Verdict::kNone;
    case v1::ACCEPT:
      return Verdict::kAccept;
    case v1::REVIEW:
      return Verdict::kReview;
    case v1::REJECT:
      return Verdict::kReject;
    default:
      return BadReply("verdict: unknown value ", static_cast<int>(verdict));
  }
}

absl::StatusOr<CalibrationDescription> ReadCalibration(const v1::CalibrationInfo& in, const std::string& model) {
  CalibrationDescription out;
  out.data = in.data();
  out.temperature = in.temperature();
  if (!in.has_verdict()) return out;
  const v1::VerdictInfo& verdict = in.verdict();
  for (const float value :
       {verdict.accept_max(), verdict.review_max(), verdict.error_rate(), verdict.reject_error_rate()}) {
    if (!IsUncertainty(value)) {
      return BadReply("model ", model, ": thresholds of the verdict must be finite and >= 0, got ", value);
    }
  }
  out.verdict = {KindName(verdict.kind()), verdict.accept_max(), verdict.review_max(), verdict.error_rate(),
                 verdict.reject_error_rate()};
  return out;
}

absl::StatusOr<EscalationOutcome> ReadEscalation(const v1::SegmentRequest& request, v1::EscalationOutcome outcome) {
  if (outcome != v1::ESCALATION_OUTCOME_UNSPECIFIED && !request.has_escalation()) {
    return BadReply("escalation: was not asked for, got ", v1::EscalationOutcome_Name(outcome));
  }
  switch (outcome) {
    case v1::ESCALATION_OUTCOME_UNSPECIFIED:
      return EscalationOutcome::kNone;
    case v1::NOT_NEEDED:
      return EscalationOutcome::kNotNeeded;
    case v1::ESCALATED:
      return EscalationOutcome::kEscalated;
    case v1::NO_TIME:
      return EscalationOutcome::kNoTime;
    case v1::SECOND_FAILED:
      return EscalationOutcome::kSecondFailed;
    default:
      return BadReply("escalation: unknown value ", static_cast<int>(outcome));
  }
}

// Returns the placeholder.
std::string PutApart(absl::string_view bytes, std::vector<grpc::Slice>* large_fields) {
  if (bytes.empty()) return "";
  large_fields->emplace_back(bytes.data(), bytes.size());
  return LargeFieldPlaceholder(large_fields->size() - 1);
}

v1::PixelFormat ToProto(PixelFormat format) {
  switch (format) {
    case PixelFormat::kRgb8:
      return v1::RGB8;
    case PixelFormat::kBgr8:
      return v1::BGR8;
    case PixelFormat::kGrey8:
      return v1::GREY8;
    case PixelFormat::kYuyv:
      return v1::YUYV;
    case PixelFormat::kNv12:
      return v1::NV12;
  }
  return v1::PIXEL_FORMAT_UNSPECIFIED;
}

}  // namespace

absl::Status CheckHeader(absl::string_view field, const std::string& value) {
  if (value.size() <= 64 && std::all_of(value.begin(), value.end(), [](char c) { return absl::ascii_isgraph(c); })) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": must be at most 64 visible ASCII characters, got \"", absl::CEscape(value), "\""));
}

absl::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNone:
      return "none";
    case Verdict::kAccept:
      return "accept";
    case Verdict::kReview:
      return "review";
    case Verdict::kReject:
      return "reject";
  }
  return "unknown";
}

absl::string_view EscalationOutcomeName(EscalationOutcome outcome) {
  switch (outcome) {
    case EscalationOutcome::kNone:
      return "none";
    case EscalationOutcome::kNotNeeded:
      return "not_needed";
    case EscalationOutcome::kEscalated:
      return "escalated";
    case EscalationOutcome::kNoTime:
      return "no_time";
    case EscalationOutcome::kSecondFailed:
      return "second_failed";
  }
  return "unknown";
}

std::vector<std::string> AllKindNames() {
  std::vector<std::string> names;
  for (int value = v1::UncertaintyKind_MIN; value <= v1::UncertaintyKind_MAX; ++value) {
    if (value == v1::UNCERTAINTY_KIND_UNSPECIFIED || !v1::UncertaintyKind_IsValid(value)) continue;
    names.push_back(KindName(static_cast<v1::UncertaintyKind>(value)));
  }
  return names;
}

absl::StatusOr<v1::SegmentRequest> MakeSegmentRequest(const SegmentOptions& options) {
  RETURN_IF_ERROR(CheckHeader("request_id", options.request_id));
  RETURN_IF_ERROR(CheckHeader("traceparent", options.traceparent));
  v1::SegmentRequest request;
  request.set_model(options.model);
  if (options.want_labels) {
    request.set_labels(options.label_transfer == LabelTransfer::kRunLengths ? v1::LABEL_RLE : v1::LABEL_RAW);
  }
  for (const UncertaintyOption& option : options.uncertainty) {
    ASSIGN_OR_RETURN(const v1::UncertaintyKind kind, ParseKind(option.kind));
    v1::UncertaintyRequest* asked = request.add_uncertainty();
    asked->set_kind(kind);
    if (option.want_map) {
      asked->set_encoding(options.map_transfer == MapTransfer::kHalves ? v1::MAP_F16 : v1::MAP_F32);
    }
    if (option.threshold.has_value()) asked->set_threshold(*option.threshold);
  }
  if (options.abstain.has_value()) {
    const AbstainOption& option = *options.abstain;
    v1::Abstain* abstain = request.mutable_abstain();
    ASSIGN_OR_RETURN(const v1::UncertaintyKind kind, ParseKind(option.kind));
    abstain->set_kind(kind);
    abstain->mutable_class_thresholds()->Add(option.class_thresholds.begin(), option.class_thresholds.end());
    if (option.class_thresholds.empty()) abstain->set_threshold(option.threshold);
    abstain->set_index(option.index);
  }
  if (options.region.has_value()) {
    v1::Region* region = request.mutable_region();
    region->set_x(options.region->x);
    region->set_y(options.region->y);
    region->set_width(options.region->width);
    region->set_height(options.region->height);
  }
  if (options.frame.has_value()) RETURN_IF_ERROR(AddFrame(*options.frame, &request));
  request.set_priority(ToProto(options.priority));
  request.set_anytime(options.anytime);
  if (options.escalation.has_value()) {
    request.mutable_escalation()->set_model(options.escalation->model);
    if (options.escalation->above.has_value()) request.mutable_escalation()->set_above(*options.escalation->above);
  }
  return request;
}

bool IsSameFrame(const v1::Frame& a, const v1::Frame& b) {
  return a.camera() == b.camera() && a.sequence() == b.sequence() && a.stamp_ns() == b.stamp_ns() &&
         a.frame_id() == b.frame_id();
}

FrameOrigin ReadFrame(const v1::Frame& frame) {
  return {frame.camera(), frame.sequence(), frame.stamp_ns(), frame.frame_id()};
}

void PutPicture(absl::string_view file_bytes, v1::Image* message, std::vector<grpc::Slice>* large_fields) {
  message->set_encoded(PutApart(file_bytes, large_fields));
}

void PutPicture(const RawImage& image, v1::Image* message, std::vector<grpc::Slice>* large_fields) {
  v1::RawImage* raw = message->mutable_raw();
  raw->set_format(ToProto(image.format));
  raw->set_width(image.width);
  raw->set_height(image.height);
  raw->set_stride(image.stride);
  raw->set_data(PutApart(image.data, large_fields));
}

absl::StatusOr<SegmentResult> ReadSegmentResponse(const v1::SegmentRequest& request, const v1::SegmentResponse& reply,
                                                  const SplitMessage* split) {
  RETURN_IF_ERROR(CheckSize(request, reply));
  SegmentResult result;
  result.request_id = reply.request_id();
  result.model = reply.model().name();
  result.model_version = reply.model().version();
  result.model_digest = reply.model().digest();
  result.width = reply.width();
  result.height = reply.height();
  RETURN_IF_ERROR(ReadLabels(request, reply, split, &result));
  RETURN_IF_ERROR(ReadUncertainty(request, reply, split, &result));
  RETURN_IF_ERROR(ReadClasses(reply, &result));
  RETURN_IF_ERROR(ReadGroups(reply, &result));
  RETURN_IF_ERROR(ReadAbstention(request, reply, &result));
  ASSIGN_OR_RETURN(result.verdict, ReadVerdict(reply.verdict()));
  if (request.has_frame() != reply.has_frame() || !IsSameFrame(request.frame(), reply.frame())) {
    return BadReply("frame: must be as sent, camera \"", absl::CEscape(request.frame().camera()), "\" sequence ",
                    request.frame().sequence(), ", got \"", absl::CEscape(reply.frame().camera()), "\" sequence ",
                    reply.frame().sequence());
  }
  if (reply.has_frame()) result.frame = ReadFrame(reply.frame());
  ASSIGN_OR_RETURN(result.escalation, ReadEscalation(request, reply.escalation()));
  if (reply.members() < 0) return BadReply("members: must be >= 0, got ", reply.members());
  result.members = reply.members();
  const v1::Timing& timing = reply.timing();
  result.server_times = {timing.decode_ms(), timing.queue_ms(), timing.infer_ms(), timing.encode_ms()};
  return result;
}

absl::StatusOr<ModelDescription> ReadModel(const v1::Model& model) {
  ModelDescription out;
  out.name = model.identity().name();
  out.version = model.identity().version();
  out.digest = model.identity().digest();
  out.kind = absl::AsciiStrToLower(v1::ModelKind_Name(model.kind()));
  out.aliases.assign(model.aliases().begin(), model.aliases().end());
  out.members = model.members();
  out.damaged_members = model.damaged_members();
  out.architecture = model.architecture();
  out.width = model.width();
  out.parameters = model.parameters();
  out.device = model.device();
  out.precision = model.precision();
  out.predictions = model.predictions();
  out.sampling = model.sampling();
  if (model.has_calibration()) {
    ASSIGN_OR_RETURN(out.calibration, ReadCalibration(model.calibration(), out.name));
  }
  for (const v1::ClassInfo& info : model.classes()) {
    out.classes.push_back(
        {info.name(),
         {static_cast<uint8_t>(info.red()), static_cast<uint8_t>(info.green()), static_cast<uint8_t>(info.blue())}});
  }
  for (const v1::UncertaintyKindInfo& info : model.uncertainty()) {
    if (!std::isfinite(info.range_max()) || info.range_max() <= 0) {
      return BadReply("model ", out.name, ": range_max of ", info.name(), " must be finite and > 0, got ",
                      info.range_max());
    }
    out.uncertainty.push_back({info.name(), info.unit(), info.range_max()});
  }
  if (out.classes.empty() || out.uncertainty.empty()) {
    return BadReply("model ", out.name, ": must have classes and uncertainty kinds, got ", out.classes.size(), " and ",
                    out.uncertainty.size());
  }
  return out;
}

}  // namespace candor
