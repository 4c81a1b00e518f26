// SPDX-License-Identifier: Apache-2.0
#include "client/demo/demo_statistics.h"

namespace candor {
namespace {

// Adds `picture`'s uncertainty to the sum and count of the class each pixel is labelled as.
void AddClassUncertainty(const DemoAnswer& answer, std::vector<double>* sums, std::vector<int64_t>* pixels) {
  for (size_t i = 0; i < answer.labels.values.size(); ++i) {
    const size_t label = answer.labels.values[i];
    if (label >= sums->size()) continue;
    (*sums)[label] += answer.uncertainty.values[i];
    ++(*pixels)[label];
  }
}

}  // namespace

void DemoShare::Add(const DemoShare& other) {
  hits += other.hits;
  total += other.total;
}

std::optional<double> DemoShare::Value() const {
  if (total == 0) return std::nullopt;
  return static_cast<double>(hits) / static_cast<double>(total);
}

DemoShare CountAgreement(const ByteMap& a, const ByteMap& b) {
  DemoShare share{0, static_cast<int64_t>(a.values.size())};
  for (size_t i = 0; i < a.values.size(); ++i) share.hits += a.values[i] == b.values[i] ? 1 : 0;
  return share;
}

DemoShare CountCorrect(const ByteMap& labels, const ByteMap& truth, int class_count) {
  DemoShare share;
  for (size_t i = 0; i < truth.values.size(); ++i) {
    if (truth.values[i] >= class_count) continue;
    ++share.total;
    share.hits += labels.values[i] == truth.values[i] ? 1 : 0;
  }
  return share;
}

std::vector<DemoShare> CountOverlap(const ByteMap& labels, const ByteMap& truth, int class_count) {
  std::vector<DemoShare> shares(class_count);
  for (size_t i = 0; i < truth.values.size(); ++i) {
    const int wanted = truth.values[i];
    const int given = labels.values[i];
    if (wanted >= class_count) continue;
    ++shares[wanted].total;
    if (given == wanted) {
      ++shares[wanted].hits;
    } else if (given < class_count) {
      ++shares[given].total;
    }
  }
  return shares;
}

DemoTotals TotalOf(const DemoReport& report, DemoAnswer DemoPicture::*model) {
  const int class_count = static_cast<int>(report.classes.size());
  DemoTotals totals;
  totals.overlap.resize(class_count);
  totals.class_uncertainty.resize(class_count);
  std::vector<double> sums(class_count, 0.0);
  std::vector<int64_t> pixels(class_count, 0);
  double all_pixels = 0;
  for (const DemoPicture& picture : report.pictures) {
    const DemoAnswer& answer = picture.*model;
    const auto size = static_cast<double>(answer.labels.values.size());
    totals.round_trip_ms += answer.round_trip_ms;
    totals.infer_ms += answer.infer_ms;
    totals.mean_uncertainty += answer.mean_uncertainty * size;
    all_pixels += size;
    AddClassUncertainty(answer, &sums, &pixels);
    if (!picture.truth) continue;
    totals.correct.Add(CountCorrect(answer.labels, *picture.truth, class_count));
    const std::vector<DemoShare> overlap = CountOverlap(answer.labels, *picture.truth, class_count);
    for (int c = 0; c < class_count; ++c) totals.overlap[c].Add(overlap[c]);
  }
  if (all_pixels > 0) {
    totals.round_trip_ms /= static_cast<double>(report.pictures.size());
    totals.infer_ms /= static_cast<double>(report.pictures.size());
    totals.mean_uncertainty /= all_pixels;
  }
  for (int c = 0; c < class_count; ++c) {
    if (pixels[c] > 0) totals.class_uncertainty[c] = sums[c] / static_cast<double>(pixels[c]);
  }
  return totals;
}

DemoShare TotalAgreement(const DemoReport& report) {
  DemoShare agreement;
  for (const DemoPicture& picture : report.pictures) {
    agreement.Add(CountAgreement(picture.student.labels, picture.teacher.labels));
  }
  return agreement;
}

std::optional<double> SpeedRatio(const DemoTotals& student, const DemoTotals& teacher) {
  if (student.round_trip_ms <= 0) return std::nullopt;
  return teacher.round_trip_ms / student.round_trip_ms;
}

}  // namespace candor
