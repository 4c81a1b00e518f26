// SPDX-License-Identifier: Apache-2.0
//
// Sources of the lists: SegNet's CamVid order (SegNet-Tutorial), cityscapesScripts' train ids, the VOC development
// kit's VOClabelcolormap.
#include "core/model/class_list.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/model/class_json.h"
#include "core/model/strict_json.h"

namespace candor {
namespace {

std::vector<ClassSpec> Camvid11() {
  return {{"sky", {128, 128, 128}},         {"building", {128, 0, 0}},   {"pole", {192, 192, 128}},
          {"road", {128, 64, 128}},         {"pavement", {60, 40, 222}}, {"tree", {128, 128, 0}},
          {"sign_symbol", {192, 128, 128}}, {"fence", {64, 64, 128}},    {"car", {64, 0, 128}},
          {"pedestrian", {64, 64, 0}},      {"bicyclist", {0, 128, 192}}};
}

std::vector<ClassSpec> Cityscapes19() {
  return {{"road", {128, 64, 128}},
          {"sidewalk", {244, 35, 232}},
          {"building", {70, 70, 70}},
          {"wall", {102, 102, 156}},
          {"fence", {190, 153, 153}},
          {"pole", {153, 153, 153}},
          {"traffic_light", {250, 170, 30}},
          {"traffic_sign", {220, 220, 0}},
          {"vegetation", {107, 142, 35}},
          {"terrain", {152, 251, 152}},
          {"sky", {70, 130, 180}},
          {"person", {220, 20, 60}},
          {"rider", {255, 0, 0}},
          {"car", {0, 0, 142}},
          {"truck", {0, 0, 70}},
          {"bus", {0, 60, 100}},
          {"train", {0, 80, 100}},
          {"motorcycle", {0, 0, 230}},
          {"bicycle", {119, 11, 32}}};
}

// Bits 0, 1, 2 of the index become bit 7 of red, green, blue; bits 3, 4, 5 become bit 6; and so on.
Colour VocColour(unsigned index) {
  unsigned channels[3] = {0, 0, 0};
  for (int bit = 7; index != 0; --bit, index >>= 3) {
    for (int channel = 0; channel < 3; ++channel) channels[channel] |= ((index >> channel) & 1u) << bit;
  }
  return {static_cast<uint8_t>(channels[0]), static_cast<uint8_t>(channels[1]), static_cast<uint8_t>(channels[2])};
}

std::vector<ClassSpec> Voc21() {
  std::vector<ClassSpec> classes;
  for (const char* name : {"background", "aeroplane", "bicycle",     "bird",  "boat",        "bottle", "bus",
                           "car",        "cat",       "chair",       "cow",   "diningtable", "dog",    "horse",
                           "motorbike",  "person",    "pottedplant", "sheep", "sofa",        "train",  "tvmonitor"}) {
    classes.push_back({name, VocColour(static_cast<unsigned>(classes.size()))});
  }
  return classes;
}

absl::StatusOr<std::vector<ClassSpec>> ParseClassList(absl::string_view text) {
  ASSIGN_OR_RETURN(const nlohmann::json document, ParseStrictJson(text, /*max_depth=*/4));
  if (document.is_object() && document.contains("classes")) return ClassesFromJson(document["classes"], "classes");
  return ClassesFromJson(document, "");
}

}  // namespace

absl::StatusOr<std::vector<ClassSpec>> LoadClassList(const std::string& name_or_path) {
  if (name_or_path == "camvid11") return Camvid11();
  if (name_or_path == "cityscapes19") return Cityscapes19();
  if (name_or_path == "voc21") return Voc21();
  constexpr int64_t kMaxBytes = 1 << 20;
  const auto text = ReadFile(name_or_path, kMaxBytes);
  if (!text.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("class list \"", ForMessage(name_or_path),
                                                   "\": must be camvid11, cityscapes19, voc21 or a JSON file (",
                                                   text.status().message(), ")"));
  }
  auto classes = ParseClassList(*text);
  if (!classes.ok()) return absl::InvalidArgumentError(absl::StrCat(name_or_path, ": ", classes.status().message()));
  return classes;
}

std::string ClassNames(const std::vector<ClassSpec>& classes) {
  return absl::StrJoin(classes, ", ", [](std::string* out, const ClassSpec& c) { absl::StrAppend(out, c.name); });
}

}  // namespace candor
