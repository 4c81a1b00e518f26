// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/data_report.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/model/strict_json.h"
#include "nlohmann/json.hpp"

namespace candor {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// The first column to the left, the others to the right.
std::string Aligned(const Rows& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string padding(widths[c] - row[c].size(), ' ');
      absl::StrAppend(&text, c == 0 ? row[c] + padding : absl::StrCat("  ", padding, row[c]));
    }
    text += '\n';
  }
  return text;
}

double ShareOf(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string Percent(int64_t part, int64_t whole) { return absl::StrFormat("%.2f", 100 * ShareOf(part, whole)); }

std::string SizeName(const std::pair<int, int>& size) { return absl::StrCat(size.first, "x", size.second); }

std::string SizesText(const SplitReport& split) {
  if (split.sizes.empty()) return "-";
  const std::string first = SizeName(split.sizes.begin()->first);
  if (split.sizes.size() == 1) return first;
  return absl::StrCat(first, " to ", SizeName(split.sizes.rbegin()->first), ", ", split.sizes.size(), " sizes");
}

Rows SplitTable(const DataReport& report) {
  Rows rows = {{"split", "pictures", "pixels", "sizes"}};
  for (const SplitReport& split : report.splits) {
    rows.push_back({split.split, absl::StrCat(split.pictures), absl::StrCat(split.pixels), SizesText(split)});
  }
  return rows;
}

Rows ShareTable(const DataReport& report) {
  Rows rows = {{"class"}};
  for (const SplitReport& split : report.splits) rows[0].push_back(split.split + " %");
  for (size_t c = 0; c < report.classes.size(); ++c) {
    std::vector<std::string> row = {report.classes[c].name};
    for (const SplitReport& split : report.splits) row.push_back(Percent(split.class_pixels[c], split.pixels));
    rows.push_back(std::move(row));
  }
  rows.push_back({"void"});
  for (const SplitReport& split : report.splits) rows.back().push_back(Percent(split.void_pixels, split.pixels));
  return rows;
}

std::vector<std::string> Warnings(const DataReport& report) {
  std::vector<std::string> warnings;
  for (const SplitReport& split : report.splits) {
    if (split.pictures == 0) continue;
    for (int index : split.MissingClasses()) {
      warnings.push_back(
          absl::StrCat(split.split, ": no pixel of class ", report.classes[static_cast<size_t>(index)].name));
    }
  }
  for (const EqualPictures& equal : report.equal_pictures) {
    const bool within = equal.split == equal.other_split;
    warnings.push_back(absl::StrCat(within ? "in " : "", equal.split, within ? "" : " and ",
                                    within ? "" : equal.other_split, ": ", equal.count, " equal ",
                                    equal.count == 1 ? "picture" : "pictures", ", first ", ForMessage(equal.name),
                                    " and ", ForMessage(equal.other_name)));
  }
  return warnings;
}

nlohmann::ordered_json SplitJson(const SplitReport& split, const std::vector<ClassSpec>& classes) {
  nlohmann::ordered_json json = {{"pictures", split.pictures}, {"pixels", split.pixels}};
  json["sizes"] = nlohmann::ordered_json::object();
  for (const auto& [size, count] : split.sizes) json["sizes"][SizeName(size)] = count;
  json["class_pixels"] = nlohmann::ordered_json::object();
  json["class_share"] = nlohmann::ordered_json::object();
  for (size_t c = 0; c < classes.size(); ++c) {
    json["class_pixels"][classes[c].name] = split.class_pixels[c];
    json["class_share"][classes[c].name] = ShareOf(split.class_pixels[c], split.pixels);
  }
  json["void_pixels"] = split.void_pixels;
  json["void_share"] = ShareOf(split.void_pixels, split.pixels);
  json["missing_classes"] = nlohmann::ordered_json::array();
  for (int index : split.MissingClasses()) json["missing_classes"].push_back(classes[static_cast<size_t>(index)].name);
  return json;
}

}  // namespace

std::vector<int> SplitReport::MissingClasses() const {
  std::vector<int> missing;
  for (size_t c = 0; c < class_pixels.size(); ++c) {
    if (class_pixels[c] == 0) missing.push_back(static_cast<int>(c));
  }
  return missing;
}

std::string DataReportText(const DataReport& report) {
  std::string text =
      absl::StrCat(report.location, "\n\n", Aligned(SplitTable(report)), "\n", Aligned(ShareTable(report)));
  const std::vector<std::string> warnings = Warnings(report);
  if (!warnings.empty()) absl::StrAppend(&text, "\nwarnings: ", warnings.size(), "\n");
  for (const std::string& warning : warnings) absl::StrAppend(&text, "  ", warning, "\n");
  absl::StrAppend(&text, "\nerrors: ", report.error_count, "\n");
  for (const std::string& error : report.errors) absl::StrAppend(&text, "  ", error, "\n");
  const auto shown = static_cast<int64_t>(report.errors.size());
  if (report.error_count > shown) absl::StrAppend(&text, "  and ", report.error_count - shown, " more\n");
  return text;
}

std::string DataReportJson(const DataReport& report) {
  nlohmann::ordered_json json = {{"location", report.location}};
  json["splits"] = nlohmann::ordered_json::object();
  for (const SplitReport& split : report.splits) json["splits"][split.split] = SplitJson(split, report.classes);
  json["equal_pictures"] = nlohmann::ordered_json::array();
  for (const EqualPictures& equal : report.equal_pictures) {
    json["equal_pictures"].push_back({{"splits", {equal.split, equal.other_split}},
                                      {"count", equal.count},
                                      {"first", {equal.name, equal.other_name}}});
  }
  json["error_count"] = report.error_count;
  json["errors"] = report.errors;
  // File names may be any bytes.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace candor
