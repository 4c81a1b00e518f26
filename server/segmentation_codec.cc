// SPDX-License-Identifier: Apache-2.0
//
// Checks requests and writes replies.
#include "server/segmentation_codec.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/floats_to_halves.h"
#include "core/base/status_macros.h"
#include "core/image/draw.h"
#include "core/image/encode.h"
#include "core/image/raw_image.h"
#include "core/image/run_lengths.h"
#include "server/error_details.h"
#include "server/model_codec.h"
#include "wire/large_fields.h"

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
      return absl::InvalidArgumentError(
          absl::StrCat("image.raw.format: must be RGB8, BGR8, GREY8, YUYV or NV12, got ", static_cast<int>(format)));
  }
}

Image Crop(const Image& picture, const Region& region) {
  Image part{region.width, region.height, {}};
  part.pixels.reserve(static_cast<size_t>(region.width) * region.height * 3);
  for (int y = region.y; y < region.y + region.height; ++y) {
    const auto row = picture.pixels.begin() + 3 * (static_cast<std::ptrdiff_t>(y) * picture.width + region.x);
    part.pixels.insert(part.pixels.end(), row, row + 3 * static_cast<std::ptrdiff_t>(region.width));
  }
  return part;
}

// Into the field, or apart with a placeholder in it.
template <typename Container>
void Put(Container contents, std::string* field, std::vector<grpc::Slice>* large_fields) {
  using Value = typename Container::value_type;
  if (large_fields == nullptr) {
    if constexpr (std::is_same_v<Container, std::string>) {
      *field = std::move(contents);
    } else {
      field->assign(reinterpret_cast<const char*>(contents.data()), contents.size() * sizeof(Value));
    }
  } else if (!contents.empty()) {
    *field = LargeFieldPlaceholder(large_fields->size());
    large_fields->push_back(SliceOf(std::move(contents)));
  }
}

std::string EncodeU8(const std::vector<float>& map, float scale) {
  std::string bytes(map.size(), '\0');
  const float steps_per_unit = 1 / scale;
  for (size_t i = 0; i < map.size(); ++i) {
    bytes[i] = static_cast<char>(static_cast<uint8_t>(std::clamp(map[i] * steps_per_unit + 0.5F, 0.0F, 255.0F)));
  }
  return bytes;
}

std::vector<uint16_t> Halves(KindResult* result) {
  if (result->map.empty()) return std::move(result->halves);
  std::vector<uint16_t> halves(result->map.size());
  FloatsToHalves(result->map, halves.data());
  return halves;
}

void FillMap(v1::MapEncoding encoding, const ModelInfo& model, KindResult* result, v1::UncertaintyMap* message,
             std::vector<grpc::Slice>* large_fields) {
  const UncertaintyKind kind = result->statistics.kind;
  message->set_kind(ToProto(kind));
  message->set_encoding(encoding);
  message->set_scale(1);
  if (encoding == v1::MAP_U8) {
    const float scale = UncertaintyKindMax(kind, model.spec.class_count()) / 255;
    message->set_scale(scale);
    Put(EncodeU8(result->map, scale), message->mutable_data(), large_fields);
  } else if (encoding == v1::MAP_F16) {
    Put(Halves(result), message->mutable_data(), large_fields);
  } else {
    Put(std::move(result->map), message->mutable_data(), large_fields);
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

void FillLabels(v1::LabelEncoding encoding, Segmentation* segmentation, v1::SegmentResponse* response,
                std::vector<grpc::Slice>* large_fields) {
  response->set_label_encoding(encoding);
  if (encoding == v1::LABEL_RAW) {
    Put(std::move(segmentation->labels), response->mutable_labels(), large_fields);
  } else if (encoding == v1::LABEL_PNG) {
    const ByteMap map{segmentation->width, segmentation->height, std::move(segmentation->labels)};
    Put(EncodeGreyPng(map), response->mutable_labels(), large_fields);
  } else if (encoding == v1::LABEL_RLE) {
    Put(EncodeRuns(segmentation->labels), response->mutable_labels(), large_fields);
  }
}

void FillGroups(const ModelSpec& spec, const Segmentation& segmentation, v1::SegmentResponse* response) {
  const double all_pixels = static_cast<double>(segmentation.width) * segmentation.height;
  for (const ClassGroup& group : spec.groups) {
    ClassTally sum;
    for (int index : group.classes) {
      const ClassTally& tally = segmentation.classes[static_cast<size_t>(index)];
      sum.pixels += tally.pixels;
      sum.uncertainty_sum += tally.uncertainty_sum;
    }
    v1::GroupStatistics* message = response->add_groups();
    message->set_name(group.name);
    const auto pixels = static_cast<double>(sum.pixels);
    message->set_share(static_cast<float>(pixels / all_pixels));
    if (sum.pixels > 0) message->set_mean_uncertainty(static_cast<float>(sum.uncertainty_sum / pixels));
  }
}

// The share of pixels that lose their label.
float Abstain(const AbstainPlan& plan, Segmentation* segmentation) {
  const std::vector<float>& uncertainty = segmentation->kinds[plan.kind_index].map;
  int64_t abstained = 0;
  for (size_t i = 0; i < segmentation->labels.size(); ++i) {
    uint8_t& label = segmentation->labels[i];
    if (uncertainty[i] <= plan.thresholds[label]) continue;
    label = plan.index;
    ++abstained;
  }
  return static_cast<float>(static_cast<double>(abstained) / static_cast<double>(segmentation->labels.size()));
}

void FillOverlay(const OverlayPlan& plan, const std::optional<Region>& region, const ModelSpec& spec,
                 const Image& picture, Segmentation* segmentation, v1::Overlay* message) {
  std::vector<Colour> colours;
  for (const ClassSpec& item : spec.classes) colours.push_back(item.colour);
  ByteMap labels{segmentation->width, segmentation->height, std::move(segmentation->labels)};
  const Image coloured = ColourLabels(labels, colours);
  segmentation->labels = std::move(labels.values);
  const Image overlay = region.has_value() ? Blend(Crop(picture, *region), coloured, plan.opacity)
                                           : Blend(picture, coloured, plan.opacity);
  message->set_encoding(plan.encoding);
  message->set_data(plan.encoding == v1::OVERLAY_PNG ? EncodeRgbPng(overlay) : EncodeJpeg(overlay, plan.quality));
}

}  // namespace

std::string EncodedFile(const v1::Image& image, const PictureBytes& bytes) {
  return bytes.pieces.empty() ? image.encoded() : Concatenate(bytes.pieces);
}

absl::StatusOr<Picture> DecodeRequestImage(const v1::Image& image, const PictureBytes& bytes,
                                           const DecodeLimits& limits) {
  if (image.has_encoded()) {
    const bool is_whole = bytes.pieces.size() == 1;
    absl::StatusOr<Image> decoded = DecodeImage(is_whole ? bytes.pieces[0] : EncodedFile(image, bytes), limits);
    if (!decoded.ok()) return Prefixed("image.encoded: ", decoded.status());
    return Picture(*std::move(decoded));
  }
  if (!image.has_raw()) return absl::InvalidArgumentError("image: must have encoded or raw set");
  RawImage raw;
  ASSIGN_OR_RETURN(raw.format, FromProto(image.raw().format()));
  raw.width = image.raw().width();
  raw.height = image.raw().height();
  raw.stride = image.raw().stride();
  raw.data = image.raw().data();
  absl::StatusOr<Picture> opened =
      bytes.pieces.empty() ? OpenRawImage(raw, limits) : OpenRawImage(raw, bytes.pieces, limits);
  if (!opened.ok()) return Prefixed("image.raw.", opened.status());
  return opened;
}

void FillSegmentResponse(const SegmentPlan& plan, const ModelInfo& model, const Picture* picture,
                         Segmentation* segmentation, v1::SegmentResponse* response,
                         std::vector<grpc::Slice>* large_fields) {
  if (plan.frame.has_value()) *response->mutable_frame() = *plan.frame;
  FillIdentity(model, response->mutable_model());
  response->set_width(segmentation->width);
  response->set_height(segmentation->height);
  response->set_members(segmentation->members);
  for (const KindResult& kind : segmentation->kinds) FillStatistics(kind.statistics, response->add_statistics());
  FillClasses(*segmentation, response);
  FillGroups(model.spec, *segmentation, response);
  const std::optional<PictureVerdict> verdict = VerdictOn(plan, model, *segmentation);
  if (verdict.has_value()) response->set_verdict(ToProto(*verdict));
  if (plan.abstain.has_value()) response->set_abstained_share(Abstain(*plan.abstain, segmentation));
  if (plan.overlay.has_value() && picture != nullptr) {
    FillOverlay(*plan.overlay, plan.region, model.spec, picture->ToImage(), segmentation, response->mutable_overlay());
  }
  for (const MapPlan& map : plan.maps) {
    FillMap(map.encoding, model, &segmentation->kinds[map.kind_index], response->add_maps(), large_fields);
  }
  FillLabels(plan.labels, segmentation, response, large_fields);
}

}  // namespace candor
