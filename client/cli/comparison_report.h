// SPDX-License-Identifier: Apache-2.0
//
// The figures of `candor compare`, as table and JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/comparison_statistics.h"
#include "client/segmentation_client.h"

namespace candor {

// Milliseconds, student and teacher.
struct Latency {
  double student = 0;
  double teacher = 0;

  // How many times faster the student is; none without a student's time.
  std::optional<double> SpeedRatio() const;
};

// Figures of one picture, or of all.
struct Comparison {
  std::string picture;  // as on the command line; empty: of all
  int pictures = 0;
  int width = 0;  // 0: of all
  int height = 0;
  int64_t equal_labels = 0;
  PairMoments moments;  // a: the student's uncertainty, b: the teacher's
  std::optional<double> spearman;
  Latency round_trip;
  Latency infer;
  Verdict student_verdict = Verdict::kNone;  // of one picture
  Verdict teacher_verdict = Verdict::kNone;
  std::vector<std::string> files;
};

// Both answers with labels and a map of `kind`, of one size. InvalidArgument: the sizes differ.
absl::StatusOr<Comparison> CompareAnswers(const SegmentResult& student, const SegmentResult& teacher,
                                          const std::string& kind);

// Over all pictures: labels, means, difference and Pearson correlation over all pixels as one; the Spearman correlation
// is the mean of the pictures' (those that have one); times are medians.
Comparison Overall(const std::vector<Comparison>& pictures);

struct ComparedModels {
  std::string student;
  std::string teacher;
  KindDescription kind;
};

nlohmann::ordered_json ComparisonJson(const Comparison& comparison, const ComparedModels& models);
void PrintComparisons(const std::vector<Comparison>& pictures, const ComparedModels& models, std::ostream& out);

}  // namespace candor
