// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "trainer/report/figure.h"
#include "trainer/report/sections.h"
#include "trainer/report/svg_chart.h"

namespace candor {
namespace {

constexpr size_t kMostPoints = 300;  // of a line: more cannot be told apart

// The points that have the figure. Long lines become means over runs of equal length, so no point stands for luck.
std::vector<ChartPoint> PointsOf(const TrainingCurve& curve, double TrainingPoint::*figure, double scale) {
  std::vector<ChartPoint> all;
  for (const TrainingPoint& point : curve.points) {
    if (std::isfinite(point.*figure)) all.push_back({static_cast<double>(point.step), scale * point.*figure});
  }
  const size_t run = (all.size() + kMostPoints - 1) / kMostPoints;
  if (run <= 1) return all;
  std::vector<ChartPoint> means;
  for (size_t first = 0; first < all.size(); first += run) {
    const size_t last = std::min(first + run, all.size());
    ChartPoint mean;
    for (size_t i = first; i < last; ++i) {
      mean.x += all[i].x / static_cast<double>(last - first);
      mean.y += all[i].y / static_cast<double>(last - first);
    }
    means.push_back(mean);
  }
  return means;
}

struct TrainingFigure {
  const char* id;
  const char* title;
  const char* y_label;
  const char* caption;
  double TrainingPoint::*figure;
  double scale;
  bool starts_at_zero;
};

constexpr TrainingFigure kFigures[] = {
    {"loss", "Training loss", "loss", "Of a batch; on long runs the mean of neighbouring ones.", &TrainingPoint::loss,
     1, true},
    {"segmentation-loss", "Segmentation loss", "cross entropy (nats)", "Mean over the labelled pixels of a batch.",
     &TrainingPoint::segmentation_loss, 1, true},
    {"uncertainty-loss", "Uncertainty loss", "RMSLE", "Root mean squared logarithmic error against the teacher.",
     &TrainingPoint::uncertainty_loss, 1, true},
    {"miou", "Validation mIoU", "mIoU (%)", "On the validation split, whole pictures.", &TrainingPoint::validation_miou,
     100, false},
    {"rate", "Learning rate", "learning rate", "Of the encoder, at each step.", &TrainingPoint::learning_rate, 1, true},
    {"speed", "Throughput", "images per second", "Training only, validation left out.",
     &TrainingPoint::images_per_second, 1, true},
};

}  // namespace

std::string TrainingSection(const ReportInput& input) {
  std::string figures;
  for (const TrainingFigure& figure : kFigures) {
    LineChart chart;
    chart.id = absl::StrCat("training-", figure.id);
    chart.title = figure.title;
    chart.description = figure.caption;
    chart.x = {"iteration"};
    chart.y = {figure.y_label};
    if (figure.starts_at_zero) chart.y.low = 0.0;
    for (const TrainingCurve& curve : input.training) {
      std::vector<ChartPoint> points = PointsOf(curve, figure.figure, figure.scale);
      if (!points.empty()) chart.series.push_back({curve.name, SeriesForm::kLine, std::move(points)});
    }
    if (!chart.series.empty()) absl::StrAppend(&figures, Figure(RenderLineChart(chart), figure.title, figure.caption));
  }
  if (figures.empty()) return "";
  return absl::StrCat("<section id=\"training\">\n<h2>Training</h2>\n<div class=\"figures\">\n", figures,
                      "</div>\n</section>\n");
}

}  // namespace candor
