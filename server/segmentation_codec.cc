// SPDX-License-Identifier: Apache-2.0
//
// Checks requests and writes replies.
#include "server/segmentation_codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/float16.h"
#include "core/base/status_macros.h"
#include "core/image/encode.h"
#include "core/image/raw_image.h"
#include "server/error_details.h"
#include "server/model_codec.h"

namespace candor {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "maps are copied as they lie in memory");

v1::Verdict ToProto(PictureVerdict verdict) {
  switch (verdict) {
    case PictureVerdict::kAccept:
      return v1::ACCEPT;
    case PictureVerdict::kReview:
      return v1::REVIEW;
    case PictureVerdict::kReject:
      return v1::REJECT;
  }
  return v1::VERDICT_UNSPECIFIED;
}

const Calibration::Verdict* VerdictThresholds(const ModelSpec& spec) {
  return spec.calibration.has_value() && spec.calibration->verdict.has_value() ? &*spec.calibration->verdict : nullptr;
}

absl::Status UnknownEnum(absl::string_view field, int value, absl::string_view allowed) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": must be ", allowed, ", got ", value));
}

// The kind asked for at `field`, UNSPECIFIED being the model's default.
absl::StatusOr<UncertaintyKind> ResolveKind(absl::string_view field, v1::UncertaintyKind wanted,
                                            const ModelInfo& model) {
  if (wanted == v1::UNCERTAINTY_KIND_UNSPECIFIED) return model.spec.default_kind();
  for (UncertaintyKind kind : model.spec.uncertainty) {
    if (ToProto(kind) == wanted) return kind;
  }
  if (!v1::UncertaintyKind_IsValid(wanted)) return UnknownEnum(field, wanted, "a value of UncertaintyKind");
  const auto append_kind = [](std::string* out, UncertaintyKind kind) {
    out->append(v1::UncertaintyKind_Name(ToProto(kind)));
  };
  return WithReason(absl::FailedPreconditionError(
                        absl::StrCat(field, ": model \"", model.name, "\" has no ", v1::UncertaintyKind_Name(wanted),
                                     "; it has ", absl::StrJoin(model.spec.uncertainty, ", ", append_kind))),
                    kKindNotAvailable);
}

float DefaultThreshold(UncertaintyKind kind, const ModelInfo& model, float threshold_share) {
  return threshold_share * UncertaintyKindMax(kind, model.spec.class_count());
}

absl::StatusOr<Priority> FromProto(v1::Priority priority) {
  switch (priority) {
    case v1::PRIORITY_LOW:
      return Priority::kLow;
    case v1::PRIORITY_UNSPECIFIED:
    case v1::PRIORITY_NORMAL:
      return Priority::kNormal;
    case v1::PRIORITY_HIGH:
      return Priority::kHigh;
    default:
      return UnknownEnum("priority", priority, "a value of Priority");
  }
}

absl::Status AddUncertainty(const v1::UncertaintyRequest& request, const std::string& path, const ModelInfo& model,
                            float threshold_share, std::vector<bool>* is_asked_for, SegmentPlan* plan) {
  ASSIGN_OR_RETURN(const UncertaintyKind kind, ResolveKind(path + ".kind", request.kind(), model));
  if (!v1::MapEncoding_IsValid(request.encoding())) {
    return UnknownEnum(path + ".encoding", request.encoding(), "a value of MapEncoding");
  }
  if (request.has_threshold() && !(std::isfinite(request.threshold()) && request.threshold() >= 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ".threshold: must be finite and >= 0, got ", request.threshold()));
  }
  size_t index = 0;
  while (index < plan->kinds.size() && plan->kinds[index].kind != kind) ++index;
  if (index == plan->kinds.size()) {
    plan->kinds.push_back({kind, false, DefaultThreshold(kind, model, threshold_share)});
    is_asked_for->push_back(false);
  }
  if ((*is_asked_for)[index]) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ".kind: ", v1::UncertaintyKind_Name(ToProto(kind)), " is asked for twice"));
  }
  (*is_asked_for)[index] = true;
  KindRequest& plan_kind = plan->kinds[index];
  if (request.has_threshold()) {
    plan_kind.threshold = request.threshold();
    if (index == 0) plan->has_server_threshold = false;
  }
  if (request.encoding() != v1::MAP_ENCODING_UNSPECIFIED) {
    plan_kind.want_map = true;
    plan->maps.push_back({index, request.encoding()});
  }
  return absl::OkStatus();
}

// The decoder's message after the field's path.
absl::Status Prefixed(absl::string_view path, const absl::Status& status) {
  return WithReason(absl::Status(status.code(), absl::StrCat(path, status.message())), kImageRefused);
}

absl::StatusOr<PixelFormat> FromProto(v1::PixelFormat format) {
  switch (format) {
    case v1::RGB8:
      return PixelFormat::kRgb8;
    case v1::BGR8:
      return PixelFormat::kBgr8;
    case v1::GREY8:
      return PixelFormat::kGrey8;
    case v1::YUYV:
      return PixelFormat::kYuyv;
    case v1::NV12:
      return PixelFormat::kNv12;
    default:
      return UnknownEnum("image.raw.format", format, "RGB8, BGR8, GREY8, YUYV or NV12");
  }
}

std::string EncodeF16(const std::vector<float>& map) {
  std::string bytes(map.size() * sizeof(uint16_t), '\0');
  for (size_t i = 0; i < map.size(); ++i) {
    const uint16_t half = FloatToHalf(map[i]);
    std::memcpy(&bytes[i * sizeof(half)], &half, sizeof(half));
  }
  return bytes;
}

std::string EncodeU8(const std::vector<float>& map, float scale) {
  std::string bytes(map.size(), '\0');
  const float steps_per_unit = 1 / scale;
  for (size_t i = 0; i < map.size(); ++i) {
    bytes[i] = static_cast<char>(static_cast<uint8_t>(std::clamp(map[i] * steps_per_unit + 0.5F, 0.0F, 255.0F)));
  }
  return bytes;
}

void FillMap(const KindResult& result, v1::MapEncoding encoding, const ModelInfo& model, v1::UncertaintyMap* message) {
  const UncertaintyKind kind = result.statistics.kind;
  message->set_kind(ToProto(kind));
  message->set_encoding(encoding);
  message->set_scale(1);
  if (encoding == v1::MAP_U8) {
    const float scale = UncertaintyKindMax(kind, model.spec.class_count()) / 255;
    message->set_scale(scale);
    message->set_data(EncodeU8(result.map, scale));
  } else if (encoding == v1::MAP_F16) {
    message->set_data(EncodeF16(result.map));
  } else {
    message->set_data(result.map.data(), result.map.size() * sizeof(float));
  }
}

void FillStatistics(const KindStatistics& statistics, v1::UncertaintyStatistics* message) {
  message->set_kind(ToProto(statistics.kind));
  message->set_mean(statistics.mean);
  message->set_max(statistics.max);
  message->set_median(statistics.median);
  message->set_p90(statistics.p90);
  message->set_p99(statistics.p99);
  message->set_threshold(statistics.threshold);
  message->set_share_above_threshold(statistics.share_above_threshold);
}

void FillClasses(const Segmentation& segmentation, v1::SegmentResponse* response) {
  std::vector<int> present;
  for (size_t i = 0; i < segmentation.classes.size(); ++i) {
    if (segmentation.classes[i].pixels > 0) present.push_back(static_cast<int>(i));
  }
  const auto tally = [&segmentation](int i) -> const ClassTally& {
    return segmentation.classes[static_cast<size_t>(i)];
  };
  std::stable_sort(present.begin(), present.end(),
                   [&tally](int a, int b) { return tally(a).pixels > tally(b).pixels; });
  const double all_pixels = static_cast<double>(segmentation.width) * segmentation.height;
  for (int i : present) {
    const auto pixels = static_cast<double>(tally(i).pixels);
    v1::ClassStatistics* message = response->add_classes();
    message->set_class_index(i);
    message->set_share(static_cast<float>(pixels / all_pixels));
    message->set_mean_uncertainty(static_cast<float>(tally(i).uncertainty_sum / pixels));
  }
}

void FillLabels(v1::LabelEncoding encoding, Segmentation* segmentation, v1::SegmentResponse* response) {
  response->set_label_encoding(encoding);
  if (encoding == v1::LABEL_RAW) {
    response->set_labels(segmentation->labels.data(), segmentation->labels.size());
  } else if (encoding == v1::LABEL_PNG) {
    const ByteMap map{segmentation->width, segmentation->height, std::move(segmentation->labels)};
    response->set_labels(EncodeGreyPng(map));
  }
}

}  // namespace

absl::StatusOr<SegmentPlan> PlanSegment(const v1::SegmentRequest& request, const ModelInfo& model,
                                        float threshold_share) {
  if (request.image().source_case() == v1::Image::SOURCE_NOT_SET) {
    return absl::InvalidArgumentError("image: must have encoded or raw set");
  }
  if (!v1::LabelEncoding_IsValid(request.labels())) {
    return UnknownEnum("labels", request.labels(), "a value of LabelEncoding");
  }
  SegmentPlan plan;
  plan.labels = request.labels();
  ASSIGN_OR_RETURN(plan.priority, FromProto(request.priority()));
  plan.anytime = request.anytime() && PredictionCount(model.spec) > 1;
  const UncertaintyKind default_kind = model.spec.default_kind();
  plan.kinds.push_back({default_kind, false, DefaultThreshold(default_kind, model, threshold_share)});
  std::vector<bool> is_asked_for = {false};
  for (int i = 0; i < request.uncertainty_size(); ++i) {
    RETURN_IF_ERROR(AddUncertainty(request.uncertainty(i), absl::StrCat("uncertainty[", i, "]"), model, threshold_share,
                                   &is_asked_for, &plan));
  }
  if (const Calibration::Verdict* verdict = VerdictThresholds(model.spec); verdict != nullptr) {
    const auto is_its_kind = [verdict](const KindRequest& request) { return request.kind == verdict->kind; };
    if (std::none_of(plan.kinds.begin(), plan.kinds.end(), is_its_kind)) {
      plan.kinds.push_back({verdict->kind, false, DefaultThreshold(verdict->kind, model, threshold_share)});
    }
  }
  return plan;
}

absl::StatusOr<Image> DecodeRequestImage(const v1::Image& image, const DecodeLimits& limits) {
  if (image.has_encoded()) {
    absl::StatusOr<Image> decoded = DecodeImage(image.encoded(), limits);
    if (!decoded.ok()) return Prefixed("image.encoded: ", decoded.status());
    return decoded;
  }
  if (!image.has_raw()) return absl::InvalidArgumentError("image: must have encoded or raw set");
  RawImage raw;
  ASSIGN_OR_RETURN(raw.format, FromProto(image.raw().format()));
  raw.width = image.raw().width();
  raw.height = image.raw().height();
  raw.stride = image.raw().stride();
  raw.data = image.raw().data();
  absl::StatusOr<Image> converted = ConvertRawImage(raw, limits);
  if (!converted.ok()) return Prefixed("image.raw.", converted.status());
  return converted;
}

std::optional<PictureVerdict> VerdictOn(const ModelInfo& model, const Segmentation& segmentation) {
  const Calibration::Verdict* thresholds = VerdictThresholds(model.spec);
  if (thresholds == nullptr) return std::nullopt;
  for (const KindResult& kind : segmentation.kinds) {
    if (kind.statistics.kind == thresholds->kind) return JudgePicture(*thresholds, kind.statistics.mean);
  }
  return std::nullopt;
}

void FillSegmentResponse(const SegmentPlan& plan, const ModelInfo& model, Segmentation* segmentation,
                         v1::SegmentResponse* response) {
  FillIdentity(model, response->mutable_model());
  response->set_width(segmentation->width);
  response->set_height(segmentation->height);
  response->set_members(segmentation->members);
  for (const MapPlan& map : plan.maps) {
    FillMap(segmentation->kinds[map.kind_index], map.encoding, model, response->add_maps());
  }
  for (const KindResult& kind : segmentation->kinds) FillStatistics(kind.statistics, response->add_statistics());
  FillClasses(*segmentation, response);
  const std::optional<PictureVerdict> verdict = VerdictOn(model, *segmentation);
  if (verdict.has_value()) response->set_verdict(ToProto(*verdict));
  FillLabels(plan.labels, segmentation, response);
}

}  // namespace candor
