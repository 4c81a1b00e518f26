// SPDX-License-Identifier: Apache-2.0
//
// How right the labels of the demo are. Ground truth that names no class is void: it counts neither for nor against.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "client/demo/demo_report.h"
#include "core/image/image.h"

namespace candor {

// A share in [0, 1], as the counts it comes from, so that several pictures add up.
struct DemoShare {
  int64_t hits = 0;
  int64_t total = 0;

  void Add(const DemoShare& other);
  std::optional<double> Value() const;  // none of nothing
};

// Pixels with equal labels. Both maps have one size.
DemoShare CountAgreement(const ByteMap& a, const ByteMap& b);

// Labelled pixels with the right label. Both maps have one size.
DemoShare CountCorrect(const ByteMap& labels, const ByteMap& truth, int class_count);

// Intersection (hits) over union (total) of each class, void pixels left out. Both maps have one size.
std::vector<DemoShare> CountOverlap(const ByteMap& labels, const ByteMap& truth, int class_count);

// One model over all pictures of the report.
struct DemoTotals {
  double round_trip_ms = 0;     // mean over the pictures
  double infer_ms = 0;          // mean over the pictures
  double mean_uncertainty = 0;  // over all pixels
  DemoShare correct;            // over the pictures with ground truth
  std::vector<DemoShare> overlap;
  std::vector<std::optional<double>> class_uncertainty;  // mean over the pixels labelled so; none where there are none
};

DemoTotals TotalOf(const DemoReport& report, DemoAnswer DemoPicture::*model);

// Of all pictures together.
DemoShare TotalAgreement(const DemoReport& report);

// How many times longer the teacher takes, round trip; none without a student's time.
std::optional<double> SpeedRatio(const DemoTotals& student, const DemoTotals& teacher);

}  // namespace candor
