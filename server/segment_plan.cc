// SPDX-License-Identifier: Apache-2.0
//
// Checks what a request asks for.
#include "server/segment_plan.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "server/error_details.h"
#include "server/model_codec.h"

namespace candor {
namespace {

constexpr size_t kMaxFrameTextBytes = 64;
constexpr int kMaxJpegSide = 65500;  // libjpeg's own

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

absl::Status CheckThreshold(absl::string_view field, float threshold) {
  if (std::isfinite(threshold) && threshold >= 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": must be finite and >= 0, got ", threshold));
}

// The kind's index in `kinds`, where it is added, statistics only, unless it is there.
size_t FindOrAddKind(UncertaintyKind kind, const ModelInfo& model, float threshold_share,
                     std::vector<KindRequest>* kinds) {
  size_t index = 0;
  while (index < kinds->size() && (*kinds)[index].kind != kind) ++index;
  if (index == kinds->size()) kinds->push_back({kind, false, DefaultThreshold(kind, model, threshold_share)});
  return index;
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
  if (request.has_threshold()) RETURN_IF_ERROR(CheckThreshold(path + ".threshold", request.threshold()));
  const size_t index = FindOrAddKind(kind, model, threshold_share, &plan->kinds);
  is_asked_for->resize(plan->kinds.size());
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
    plan_kind.as_halves = request.encoding() == v1::MAP_F16;
    plan->maps.push_back({index, request.encoding()});
  }
  return absl::OkStatus();
}

absl::StatusOr<AbstainPlan> PlanAbstain(const v1::Abstain& request, const ModelInfo& model, float threshold_share,
                                        std::vector<KindRequest>* kinds) {
  ASSIGN_OR_RETURN(const UncertaintyKind kind, ResolveKind("abstain.kind", request.kind(), model));
  const int classes = model.spec.class_count();
  if (request.has_threshold() == (request.class_thresholds_size() > 0)) {
    return absl::InvalidArgumentError("abstain: must have either threshold or class_thresholds");
  }
  AbstainPlan plan;
  if (request.has_threshold()) {
    RETURN_IF_ERROR(CheckThreshold("abstain.threshold", request.threshold()));
    plan.thresholds.assign(static_cast<size_t>(classes), request.threshold());
  } else if (request.class_thresholds_size() != classes) {
    return absl::InvalidArgumentError(absl::StrCat("abstain.class_thresholds: must have one for each of the model's ",
                                                   classes, " classes, has ", request.class_thresholds_size()));
  }
  for (int i = 0; i < request.class_thresholds_size(); ++i) {
    RETURN_IF_ERROR(CheckThreshold(absl::StrCat("abstain.class_thresholds[", i, "]"), request.class_thresholds(i)));
    plan.thresholds.push_back(request.class_thresholds(i));
  }
  if (request.has_index()) {
    if (request.index() < classes || request.index() > 255) {
      return absl::InvalidArgumentError(
          absl::StrCat("abstain.index: must be in [", classes, ", 255], which is no class, got ", request.index()));
    }
    plan.index = static_cast<uint8_t>(request.index());
  }
  plan.kind_index = FindOrAddKind(kind, model, threshold_share, kinds);
  KindRequest& plan_kind = (*kinds)[plan.kind_index];
  plan_kind.want_map = true;
  plan_kind.as_halves = false;  // compared as they are
  return plan;
}

absl::StatusOr<OverlayPlan> PlanOverlay(const v1::OverlayRequest& request) {
  OverlayPlan plan;
  if (request.encoding() != v1::OVERLAY_PNG && request.encoding() != v1::OVERLAY_JPEG) {
    return UnknownEnum("overlay.encoding", request.encoding(), "OVERLAY_PNG or OVERLAY_JPEG");
  }
  plan.encoding = request.encoding();
  if (request.has_opacity()) {
    if (!(request.opacity() > 0 && request.opacity() <= 1)) {
      return absl::InvalidArgumentError(absl::StrCat("overlay.opacity: must be in (0, 1], got ", request.opacity()));
    }
    plan.opacity = request.opacity();
  }
  if (request.has_quality()) {
    if (request.quality() < 1 || request.quality() > 100) {
      return absl::InvalidArgumentError(absl::StrCat("overlay.quality: must be in [1, 100], got ", request.quality()));
    }
    plan.quality = request.quality();
  }
  return plan;
}

absl::Status CheckFrameText(absl::string_view field, const std::string& text) {
  if (text.size() <= kMaxFrameTextBytes && std::all_of(text.begin(), text.end(), absl::ascii_isprint)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(field, ": must be at most ", kMaxFrameTextBytes,
                                                 " printable ASCII characters, got ", text.size(), " bytes: \"",
                                                 absl::CEscape(text.substr(0, kMaxFrameTextBytes)), "\""));
}

absl::Status CheckFrame(const v1::Frame& frame) {
  RETURN_IF_ERROR(CheckFrameText("frame.camera", frame.camera()));
  return CheckFrameText("frame.frame_id", frame.frame_id());
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
  if (request.has_frame()) {
    RETURN_IF_ERROR(CheckFrame(request.frame()));
    plan.frame = request.frame();
  }
  const UncertaintyKind default_kind = model.spec.default_kind();
  plan.kinds.push_back({default_kind, false, DefaultThreshold(default_kind, model, threshold_share)});
  std::vector<bool> is_asked_for = {false};
  for (int i = 0; i < request.uncertainty_size(); ++i) {
    RETURN_IF_ERROR(AddUncertainty(request.uncertainty(i), absl::StrCat("uncertainty[", i, "]"), model, threshold_share,
                                   &is_asked_for, &plan));
  }
  if (request.has_abstain()) {
    ASSIGN_OR_RETURN(plan.abstain, PlanAbstain(request.abstain(), model, threshold_share, &plan.kinds));
  }
  if (request.has_overlay()) {
    ASSIGN_OR_RETURN(plan.overlay, PlanOverlay(request.overlay()));
  }
  if (request.has_region()) {
    plan.region =
        Region{request.region().x(), request.region().y(), request.region().width(), request.region().height()};
  }
  const Calibration::Verdict* verdict = VerdictThresholds(model.spec);
  if (verdict != nullptr && !plan.region.has_value()) {
    FindOrAddKind(verdict->kind, model, threshold_share, &plan.kinds);
  }
  return plan;
}

std::optional<PictureVerdict> VerdictOn(const SegmentPlan& plan, const ModelInfo& model,
                                        const Segmentation& segmentation) {
  if (plan.region.has_value()) return std::nullopt;
  const Calibration::Verdict* thresholds = VerdictThresholds(model.spec);
  if (thresholds == nullptr) return std::nullopt;
  for (const KindResult& kind : segmentation.kinds) {
    if (kind.statistics.kind == thresholds->kind) return JudgePicture(*thresholds, kind.statistics.mean);
  }
  return std::nullopt;
}

bool EscalationPlan::IsNeeded(const SegmentPlan& plan, const ModelInfo& model, const Segmentation& segmentation) const {
  if (above.has_value()) return segmentation.kinds[0].statistics.mean > *above;
  return VerdictOn(plan, model, segmentation) != PictureVerdict::kAccept;
}

absl::StatusOr<EscalationPlan> PlanEscalation(const v1::SegmentRequest& request, const ModelInfo& model) {
  EscalationPlan plan;
  if (request.escalation().has_above()) {
    const float above = request.escalation().above();
    if (!(std::isfinite(above) && above >= 0)) {
      return absl::InvalidArgumentError(absl::StrCat("escalation.above: must be finite and >= 0, got ", above));
    }
    plan.above = above;
  } else if (VerdictThresholds(model.spec) == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat("escalation.above: must be set, since model \"", model.name,
                                                      "\" is not calibrated to give verdicts"));
  } else if (request.has_region()) {
    return absl::FailedPreconditionError("escalation.above: must be set, since a region has no verdict");
  }
  return plan;
}

bool IsCheapToWrite(const SegmentPlan& plan) {
  const bool has_bytes =
      std::any_of(plan.maps.begin(), plan.maps.end(), [](const MapPlan& map) { return map.encoding == v1::MAP_U8; });
  const bool is_packed = plan.labels == v1::LABEL_PNG || plan.labels == v1::LABEL_RLE;
  return !has_bytes && !is_packed && !plan.abstain.has_value() && !plan.overlay.has_value();
}

absl::Status CheckPlanFits(const SegmentPlan& plan, int width, int height) {
  Region used{0, 0, width, height};
  if (plan.region.has_value()) {
    used = *plan.region;
    const bool is_inside = used.x >= 0 && used.y >= 0 && used.width >= 1 && used.height >= 1 &&
                           used.width <= width - used.x && used.height <= height - used.y;
    if (!is_inside) {
      return absl::InvalidArgumentError(absl::StrCat("region: must be inside the picture of ", width, "x", height,
                                                     " and not empty, got ", used.width, "x", used.height, " at ",
                                                     used.x, ",", used.y));
    }
  }
  if (plan.overlay.has_value() && plan.overlay->encoding == v1::OVERLAY_JPEG &&
      std::max(used.width, used.height) > kMaxJpegSide) {
    return absl::InvalidArgumentError(absl::StrCat("overlay.encoding: a JPEG has at most ", kMaxJpegSide,
                                                   " pixels a side, the overlay ", used.width, "x", used.height));
  }
  return absl::OkStatus();
}

}  // namespace candor
