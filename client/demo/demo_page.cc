// SPDX-License-Identifier: Apache-2.0
#include "client/demo/demo_page.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "client/demo/page_sections.h"
#include "client/demo/page_template.h"
#include "core/image/draw.h"
#include "core/image/encode.h"

namespace candor {
namespace {

using nlohmann::ordered_json;

constexpr int kCodes = 256;
constexpr int kJpegQuality = 90;

std::string DataUri(absl::string_view type, absl::string_view bytes) {
  return absl::StrCat("data:", type, ";base64,", absl::Base64Escape(bytes));
}

// The heat map's colour of each code.
std::vector<Colour> HeatColours() {
  FloatMap ramp{kCodes, 1, {}};
  for (int code = 0; code < kCodes; ++code) ramp.values.push_back(static_cast<float>(code) / (kCodes - 1));
  const Image image = HeatMap(ramp, 1);
  std::vector<Colour> colours;
  for (auto pixel = image.pixels.begin(); pixel != image.pixels.end(); pixel += 3) {
    colours.push_back({pixel[0], pixel[1], pixel[2]});
  }
  return colours;
}

ordered_json ColourJson(const Colour& colour) { return {colour.red, colour.green, colour.blue}; }

ordered_json AnswerJson(const DemoAnswer& answer, float scale) {
  return {{"labels", DataUri("image/png", EncodeGreyPng(answer.labels))},
          {"uncertainty", DataUri("image/png", EncodeGreyPng(QuantiseUncertainty(answer.uncertainty, scale)))}};
}

// What the page's script draws from. No "<" is left in it, so that no name can end the script element.
std::string PageData(const DemoReport& report, const std::vector<Colour>& heat, float scale) {
  ordered_json data;
  data["scale"] = scale;
  for (const ClassDescription& entry : report.classes) data["colours"].push_back(ColourJson(entry.colour));
  for (const Colour& colour : heat) data["heat"].push_back(ColourJson(colour));
  for (const DemoPicture& picture : report.pictures) {
    ordered_json entry;
    entry["width"] = picture.input.width;
    entry["height"] = picture.input.height;
    entry["input"] = DataUri("image/jpeg", EncodeJpeg(picture.input, kJpegQuality));
    entry["truth"] = picture.truth ? ordered_json(DataUri("image/png", EncodeGreyPng(*picture.truth))) : ordered_json();
    entry["student"] = AnswerJson(picture.student, scale);
    entry["teacher"] = AnswerJson(picture.teacher, scale);
    data["pictures"].push_back(std::move(entry));
  }
  return absl::StrReplaceAll(data.dump(), {{"<", "\\u003c"}});
}

}  // namespace

float UncertaintyScale(const DemoReport& report) {
  float largest = 0;
  for (const DemoPicture& picture : report.pictures) {
    for (const DemoAnswer* answer : {&picture.student, &picture.teacher}) {
      for (const float value : answer->uncertainty.values) largest = std::max(largest, value);
    }
  }
  constexpr float kStep = 0.05F;
  return std::clamp(std::ceil(largest / kStep) * kStep, kStep, std::max(kStep, report.kind.range_max));
}

ByteMap QuantiseUncertainty(const FloatMap& map, float scale) {
  ByteMap codes{map.width, map.height, {}};
  codes.values.reserve(map.values.size());
  for (const float value : map.values) {
    codes.values.push_back(static_cast<uint8_t>(std::lround(std::clamp(value / scale, 0.0F, 1.0F) * (kCodes - 1))));
  }
  return codes;
}

std::string RenderDemoPage(const DemoReport& report) {
  const float scale = UncertaintyScale(report);
  const std::vector<Colour> heat = HeatColours();
  return absl::StrReplaceAll(kPageHtml, {{"{{style}}", kPageStyle},
                                         {"{{script}}", kPageScript},
                                         {"{{data}}", PageData(report, heat, scale)},
                                         {"{{lead}}", LeadSection(report)},
                                         {"{{kind}}", EscapeHtml(report.kind.name)},
                                         {"{{unit}}", EscapeHtml(report.kind.unit)},
                                         {"{{scale}}", absl::StrFormat("%.2f", scale)},
                                         {"{{gradient}}", Gradient(heat)},
                                         {"{{classes}}", ClassLegend(report)},
                                         {"{{pictures}}", PictureSections(report)},
                                         {"{{figures}}", FiguresTable(report)},
                                         {"{{per_class}}", ClassTable(report)},
                                         {"{{credit}}", CreditLine(report)}});
}

}  // namespace candor
