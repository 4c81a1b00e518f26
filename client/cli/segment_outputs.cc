// SPDX-License-Identifier: Apache-2.0
//
// The files of one picture and its JSON summary.
#include "client/cli/segment_outputs.h"

#include "absl/strings/str_cat.h"
#include "client/cli/json_number.h"
#include "client/cli/pictures.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/image/draw.h"
#include "core/image/encode.h"

namespace candor {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kLabels[] = "_labels.png";
constexpr char kUncertaintyPng[] = "_uncertainty.png";
constexpr char kUncertaintyNpy[] = "_uncertainty.npy";
constexpr char kOverlay[] = "_overlay.png";
constexpr char kSummary[] = ".json";
constexpr float kOverlayOpacity = 0.5F;

Json UncertaintyJson(const UncertaintyFigures& figures, const KindDescription& kind) {
  return {{"kind", figures.kind},
          {"unit", kind.unit},
          {"range_max", JsonNumber(kind.range_max)},
          {"mean", JsonNumber(figures.mean)},
          {"max", JsonNumber(figures.max)},
          {"median", JsonNumber(figures.median)},
          {"p90", JsonNumber(figures.p90)},
          {"p99", JsonNumber(figures.p99)},
          {"threshold", JsonNumber(figures.threshold)},
          {"share_above_threshold", JsonNumber(figures.share_above_threshold)}};
}

}  // namespace

const UncertaintyResult* SegmentedPicture::uncertainty() const {
  for (const UncertaintyResult& entry : result.uncertainty) {
    if (entry.figures.kind == kind.name) return &entry;
  }
  return nullptr;
}

std::vector<std::string> OutputSuffixes(bool npy) {
  std::vector<std::string> suffixes = {kLabels, kUncertaintyPng, kOverlay, kSummary};
  if (npy) suffixes.push_back(kUncertaintyNpy);
  return suffixes;
}

absl::Status WriteOutputs(const std::string& directory, bool npy, const std::string& file_bytes,
                          SegmentedPicture* picture) {
  const std::string stem = OutputStem(picture->name);
  const auto write = [&](const char* suffix, const std::string& contents) {
    const std::string path = OutputPath(directory, stem, suffix);
    picture->files.push_back(path);
    return WriteFileAtomically(path, contents);
  };
  const SegmentResult& result = picture->result;
  const UncertaintyResult* uncertainty = picture->uncertainty();
  if (uncertainty == nullptr) return absl::InternalError(absl::StrCat("the reply has no ", picture->kind.name));
  ASSIGN_OR_RETURN(const Image image, DecodeForOverlay(file_bytes, result.width, result.height));
  const Image coloured = ColourLabels(result.labels, ClassColours(picture->classes));
  RETURN_IF_ERROR(write(kLabels, EncodeGreyPng(result.labels)));
  RETURN_IF_ERROR(write(kUncertaintyPng, EncodeUncertaintyPng(uncertainty->map, picture->kind.range_max)));
  if (npy) RETURN_IF_ERROR(write(kUncertaintyNpy, EncodeNpy(uncertainty->map)));
  RETURN_IF_ERROR(write(kOverlay, EncodeRgbPng(Blend(image, coloured, kOverlayOpacity))));
  // Listed in itself, so its name is added before its contents are made.
  const std::string summary = OutputPath(directory, stem, kSummary);
  picture->files.push_back(summary);
  return WriteFileAtomically(summary, absl::StrCat(JsonLine(SummaryJson(*picture)), "\n"));
}

Json SummaryJson(const SegmentedPicture& picture) {
  const SegmentResult& result = picture.result;
  Json json = {{"image", picture.name},
               {"width", result.width},
               {"height", result.height},
               {"model", {{"name", result.model}, {"version", result.model_version}, {"digest", result.model_digest}}},
               {"request_id", result.request_id},
               {"members", result.members},
               {"predictions", picture.predictions},
               {"escalation", nullptr}};
  if (result.escalation != EscalationOutcome::kNone) {
    json["escalation"] = std::string(EscalationOutcomeName(result.escalation));
  }
  if (const UncertaintyResult* uncertainty = picture.uncertainty()) {
    json["uncertainty"] = UncertaintyJson(uncertainty->figures, picture.kind);
  }
  json["verdict"] = VerdictJson(result.verdict);
  json["classes"] = Json::array();
  for (const ClassShare& share : result.classes) {
    json["classes"].push_back({{"index", share.class_index},
                               {"name", ClassName(picture.classes, share.class_index)},
                               {"share", JsonNumber(share.share)},
                               {"mean_uncertainty", JsonNumber(share.mean_uncertainty)}});
  }
  json["groups"] = Json::array();
  for (const GroupShare& group : result.groups) {
    json["groups"].push_back({{"name", group.name},
                              {"share", JsonNumber(group.share)},
                              {"mean_uncertainty", JsonNumber(group.mean_uncertainty)}});
  }
  json["abstained_share"] = result.abstained_share.has_value() ? Json(JsonNumber(*result.abstained_share)) : Json();
  json["timing"] = {{"decode_ms", JsonNumber(result.server_times.decode_ms)},
                    {"queue_ms", JsonNumber(result.server_times.queue_ms)},
                    {"infer_ms", JsonNumber(result.server_times.infer_ms)},
                    {"encode_ms", JsonNumber(result.server_times.encode_ms)},
                    {"round_trip_ms", JsonNumber(static_cast<float>(result.round_trip_ms))}};
  json["files"] = picture.files;
  return json;
}

Json VerdictJson(Verdict verdict) {
  if (verdict == Verdict::kNone) return nullptr;
  return std::string(VerdictName(verdict));
}

std::string ClassName(const std::vector<ClassDescription>& classes, int class_index) {
  if (class_index >= 0 && class_index < static_cast<int>(classes.size())) return classes[class_index].name;
  return absl::StrCat("class ", class_index);
}

std::vector<Colour> ClassColours(const std::vector<ClassDescription>& classes) {
  std::vector<Colour> colours;
  for (const ClassDescription& entry : classes) colours.push_back(entry.colour);
  return colours;
}

}  // namespace candor
