// SPDX-License-Identifier: Apache-2.0
//
// Figures of `candor compare` from two answers, over all pictures, and as text.
#include "client/cli/comparison_report.h"

#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/console.h"
#include "client/cli/segment_outputs.h"
#include "client/cli/table.h"

namespace candor {
namespace {

using Json = nlohmann::ordered_json;

Json OrNull(std::optional<double> value) { return value.has_value() ? Json(*value) : Json(nullptr); }

std::string OrDash(std::optional<double> value, const char* suffix = "") {
  return value.has_value() ? absl::StrFormat("%.3f%s", *value, suffix) : "-";
}

double Agreement(const Comparison& c) {
  return c.moments.count() == 0 ? 0 : static_cast<double>(c.equal_labels) / c.moments.count();
}

const FloatMap* FindMap(const SegmentResult& result, const std::string& kind) {
  for (const UncertaintyResult& entry : result.uncertainty) {
    if (entry.figures.kind == kind) return &entry.map;
  }
  return nullptr;
}

template <typename Get>
double MedianOf(const std::vector<Comparison>& pictures, Get get) {
  std::vector<double> values;
  for (const Comparison& picture : pictures) values.push_back(get(picture));
  return Median(std::move(values));
}

std::vector<std::string> Row(const Comparison& c, const std::string& name) {
  return {name,
          absl::StrFormat("%.2f%%", 100 * Agreement(c)),
          absl::StrFormat("%.4f", c.moments.mean_a()),
          absl::StrFormat("%.4f", c.moments.mean_b()),
          absl::StrFormat("%.4f", c.moments.mean_absolute_difference()),
          OrDash(c.moments.Correlation()),
          OrDash(c.spearman),
          absl::StrFormat("%.1f", c.round_trip.student),
          absl::StrFormat("%.1f", c.round_trip.teacher),
          OrDash(c.round_trip.SpeedRatio(), "x"),
          absl::StrFormat("%.1f", c.infer.student),
          absl::StrFormat("%.1f", c.infer.teacher),
          OrDash(c.infer.SpeedRatio(), "x")};
}

}  // namespace

std::optional<double> Latency::SpeedRatio() const {
  if (student <= 0) return std::nullopt;
  return teacher / student;
}

absl::StatusOr<Comparison> CompareAnswers(const SegmentResult& student, const SegmentResult& teacher,
                                          const std::string& kind) {
  if (student.width != teacher.width || student.height != teacher.height) {
    return absl::InvalidArgumentError(absl::StrCat("the maps must have one size, got ", student.width, "x",
                                                   student.height, " and ", teacher.width, "x", teacher.height));
  }
  const FloatMap* student_map = FindMap(student, kind);
  const FloatMap* teacher_map = FindMap(teacher, kind);
  if (student_map == nullptr || teacher_map == nullptr) {
    return absl::InternalError(absl::StrCat("a reply has no map of ", kind));
  }
  Comparison comparison;
  comparison.pictures = 1;
  comparison.width = student.width;
  comparison.height = student.height;
  comparison.equal_labels = CountEqual(student.labels.values, teacher.labels.values);
  for (size_t i = 0; i < student_map->values.size(); ++i) {
    comparison.moments.Add(student_map->values[i], teacher_map->values[i]);
  }
  comparison.spearman = SpearmanCorrelation(student_map->values, teacher_map->values);
  comparison.round_trip = {student.round_trip_ms, teacher.round_trip_ms};
  comparison.infer = {student.server_times.infer_ms, teacher.server_times.infer_ms};
  comparison.student_verdict = student.verdict;
  comparison.teacher_verdict = teacher.verdict;
  return comparison;
}

Comparison Overall(const std::vector<Comparison>& pictures) {
  Comparison all;
  double spearman_sum = 0;
  int spearman_count = 0;
  for (const Comparison& picture : pictures) {
    all.pictures += picture.pictures;
    all.equal_labels += picture.equal_labels;
    all.moments.Merge(picture.moments);
    if (picture.spearman.has_value()) {
      spearman_sum += *picture.spearman;
      ++spearman_count;
    }
  }
  if (spearman_count > 0) all.spearman = spearman_sum / spearman_count;
  all.round_trip = {MedianOf(pictures, [](const Comparison& c) { return c.round_trip.student; }),
                    MedianOf(pictures, [](const Comparison& c) { return c.round_trip.teacher; })};
  all.infer = {MedianOf(pictures, [](const Comparison& c) { return c.infer.student; }),
               MedianOf(pictures, [](const Comparison& c) { return c.infer.teacher; })};
  return all;
}

Json ComparisonJson(const Comparison& c, const ComparedModels& models) {
  Json json = Json::object();
  if (c.picture.empty()) {
    json["overall"] = true;
  } else {
    json["image"] = c.picture;
    json["width"] = c.width;
    json["height"] = c.height;
  }
  json["pictures"] = c.pictures;
  json["pixels"] = c.moments.count();
  json["uncertainty"] = {{"kind", models.kind.name}, {"unit", models.kind.unit}};
  json["label_agreement"] = Agreement(c);
  json["mean_absolute_difference"] = c.moments.mean_absolute_difference();
  json["pearson"] = OrNull(c.moments.Correlation());
  json["spearman"] = OrNull(c.spearman);
  json["student"] = {{"model", models.student},
                     {"mean_uncertainty", c.moments.mean_a()},
                     {"round_trip_ms", c.round_trip.student},
                     {"infer_ms", c.infer.student}};
  json["teacher"] = {{"model", models.teacher},
                     {"mean_uncertainty", c.moments.mean_b()},
                     {"round_trip_ms", c.round_trip.teacher},
                     {"infer_ms", c.infer.teacher}};
  json["speed_ratio"] = {{"round_trip", OrNull(c.round_trip.SpeedRatio())}, {"infer", OrNull(c.infer.SpeedRatio())}};
  if (!c.picture.empty()) {
    json["student"]["verdict"] = VerdictJson(c.student_verdict);
    json["teacher"]["verdict"] = VerdictJson(c.teacher_verdict);
    json["files"] = c.files;
  }
  return json;
}

void PrintComparisons(const std::vector<Comparison>& pictures, const ComparedModels& models, std::ostream& out) {
  out << OneLine(absl::StrCat("student: ", models.student, "; teacher: ", models.teacher,
                              "; uncertainty: ", models.kind.name, " (", models.kind.unit, "); times in ms"))
      << "\n\n";
  Table table({"IMAGE", "LABELS EQUAL", "STUDENT MEAN", "TEACHER MEAN", "MEAN |DIFF|", "PEARSON", "SPEARMAN",
               "STUDENT TRIP", "TEACHER TRIP", "RATIO", "STUDENT INFER", "TEACHER INFER", "RATIO"});
  for (const Comparison& picture : pictures) table.AddRow(Row(picture, OneLine(picture.picture)));
  if (pictures.size() > 1) table.AddRow(Row(Overall(pictures), "overall"));
  table.Print(out);
}

}  // namespace candor
