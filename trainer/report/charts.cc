// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/charts.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "trainer/report/figure.h"
#include "trainer/report/html.h"
#include "trainer/report/result_relations.h"
#include "trainer/report/svg_chart.h"

namespace candor {
namespace {

constexpr size_t kMostCategories = 32;  // more bars do not fit a page

const KindFigures* DefaultKind(const EvaluationResult& result) {
  return result.kinds.empty() ? nullptr : &result.kinds[0];
}

// "student (predictive_stddev)".
std::string NameWithKind(const std::string& name, const KindFigures& kind) {
  return absl::StrCat(name, " (", UncertaintyKindName(kind.kind), ")");
}

std::vector<ChartPoint> InPercent(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<ChartPoint> points;
  for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) points.push_back({100 * x[i], 100 * y[i]});
  return points;
}

std::vector<ChartPoint> InPercent(const std::vector<CurvePoint>& curve) {
  std::vector<ChartPoint> points;
  for (const CurvePoint& point : curve) points.push_back({100 * point.x, 100 * point.y});
  return points;
}

// A chart of more series than can be told apart in half a page's width takes all of it.
constexpr size_t kManySeries = 8;

std::string FittingFigure(LineChart chart, const std::string& caption) {
  if (chart.series.size() < kManySeries) return Figure(RenderLineChart(chart), chart.title, caption);
  chart.width = 920;
  chart.height = 540;
  return Figure(RenderLineChart(chart), chart.title, caption, FigureWidth::kFull);
}

std::string RejectionPanel(const ChartSource& source, std::vector<double> RejectionCurve::*figure,
                           const std::string& suffix, const std::string& y_label, const std::string& caption) {
  LineChart chart;
  chart.id = absl::StrCat(source.id, "-rejection-", suffix);
  chart.title = absl::StrCat("Rejection curve, ", y_label);
  chart.description = caption;
  chart.x = {"most uncertain pixels dropped (%)", 0.0, 90.0};
  chart.y = {y_label};
  for (const size_t i : source.members) {
    const KindFigures* kind = DefaultKind(source.results[i].result);
    if (kind == nullptr) continue;
    chart.series.push_back({NameWithKind(source.names[i], *kind), SeriesForm::kLine,
                            InPercent(kind->rejection.dropped, kind->rejection.*figure)});
  }
  return FittingFigure(std::move(chart), caption);
}

}  // namespace

std::string RejectionFigures(const ChartSource& source) {
  const std::string common =
      "The most uncertain pixels of the whole split are dropped first; a curve that climbs means that they were the "
      "wrong ones (DUDES, figure 4).";
  return absl::StrCat(
      RejectionPanel(source, &RejectionCurve::miou_present, "present", "mIoU, classes left (%)",
                     absl::StrCat(common,
                                  " Mean over the classes that are among the pixels left: it jumps where a hard "
                                  "class vanishes.")),
      RejectionPanel(source, &RejectionCurve::miou_all, "all", "mIoU, all classes (%)",
                     absl::StrCat(common, " Mean over all classes; one that has vanished counts as 0.")),
      RejectionPanel(source, &RejectionCurve::accuracy, "accuracy", "pixel accuracy (%)",
                     absl::StrCat(common, " Share of right pixels among those left.")));
}

std::string RiskCoverageFigure(const ChartSource& source) {
  LineChart chart;
  chart.id = absl::StrCat(source.id, "-risk");
  chart.title = "Risk against coverage";
  chart.x = {"coverage: most certain pixels kept (%)", 0.0, 100.0};
  chart.y = {"risk: wrong among them (%)", 0.0};
  for (const size_t i : source.members) {
    const KindFigures* kind = DefaultKind(source.results[i].result);
    if (kind == nullptr) continue;
    chart.series.push_back(
        {NameWithKind(source.names[i], *kind), SeriesForm::kLine, InPercent(kind->risk_coverage.curve)});
  }
  const std::string caption =
      "Error rate of the pixels kept when only the most certain are; the area below is AURC (Geifman et al. 2019). "
      "Lower is better.";
  chart.description = caption;
  return FittingFigure(std::move(chart), caption);
}

std::string HistogramFigures(const ChartSource& source) {
  std::string html;
  for (const UncertaintyKind kind : kAllUncertaintyKinds) {
    LineChart chart;
    chart.id = absl::StrCat(source.id, "-histogram-", static_cast<int>(kind));
    chart.title = absl::StrCat("Histogram of ", UncertaintyKindName(kind));
    chart.y = {"share of all pixels (%)", std::nullopt, 100.0, true};
    for (const size_t i : source.members) {
      const EvaluationResult& result = source.results[i].result;
      const KindFigures* figures = DefaultKind(result);
      if (figures == nullptr || figures->kind != kind) continue;
      const double range_max = UncertaintyKindMax(kind, static_cast<int>(result.classes.size()));
      chart.x = {absl::StrCat(UncertaintyKindName(kind), " (", UncertaintyKindUnit(kind), ")"), 0.0, range_max};
      ChartSeries series = {source.names[i], SeriesForm::kStep};
      const double width = range_max / static_cast<double>(std::max<size_t>(figures->histogram.size(), 1));
      for (size_t bin = 0; bin < figures->histogram.size(); ++bin) {
        series.points.push_back({static_cast<double>(bin) * width, 100 * figures->histogram[bin]});
      }
      if (!series.points.empty()) series.points.push_back({range_max, series.points.back().y});
      chart.series.push_back(std::move(series));
    }
    if (chart.series.empty()) continue;
    const std::string caption =
        "Share of all pixels, void included, in 64 equal bins over the kind's range; logarithmic upwards. An empty bin "
        "lies on the axis.";
    chart.description = caption;
    absl::StrAppend(&html, FittingFigure(std::move(chart), caption));
  }
  return html;
}

std::string ReliabilityFigure(const EvaluationResult& result, const std::string& name, const std::string& id) {
  LineChart chart;
  chart.id = absl::StrCat(id, "-reliability");
  chart.title = absl::StrCat("Reliability of ", name);
  chart.x = {"confidence of the label (%)", 0.0, 100.0};
  chart.y = {"accuracy; share of pixels (%)", 0.0, 100.0};
  const auto& bins = result.calibration.bins;
  const double width = 100.0 / static_cast<double>(std::max<size_t>(bins.size(), 1));
  int64_t pixels = 0;
  for (const ReliabilityBin& bin : bins) pixels += bin.pixels;
  ChartSeries share = {"share of pixels", SeriesForm::kBars, {}, width};
  ChartSeries accuracy = {"accuracy", SeriesForm::kLine};
  for (size_t i = 0; i < bins.size(); ++i) {
    if (bins[i].pixels == 0) continue;
    share.points.push_back({(static_cast<double>(i) + 0.5) * width,
                            100.0 * static_cast<double>(bins[i].pixels) / static_cast<double>(pixels)});
    accuracy.points.push_back({100 * bins[i].confidence, 100 * bins[i].accuracy});
  }
  chart.series = {
      std::move(accuracy), {"confidence = accuracy", SeriesForm::kReference, {{0, 0}, {100, 100}}}, std::move(share)};
  const std::string caption = absl::StrFormat(
      "Accuracy against mean confidence in each of %d bins, on the diagonal if calibrated, below it if too sure. "
      "ECE %s, largest gap %s.",
      bins.size(), Decimal(result.calibration.ece, 4), Decimal(result.calibration.mce, 3));
  chart.description = caption;
  return Figure(RenderLineChart(chart), chart.title, caption);
}

std::string SparsificationFigure(const EvaluationResult& result, const std::string& name, const std::string& id) {
  const KindFigures* kind = DefaultKind(result);
  if (kind == nullptr) return "";
  LineChart chart;
  chart.id = absl::StrCat(id, "-sparsification");
  chart.title = absl::StrCat("Sparsification of ", name);
  chart.x = {"most uncertain pixels dropped (%)", 0.0, 100.0};
  chart.y = {"wrong pixels left (%)", 0.0};
  chart.series = {
      {absl::StrCat("by ", UncertaintyKindName(kind->kind)), SeriesForm::kLine, InPercent(kind->sparsification.curve)},
      {"oracle: wrong pixels first", SeriesForm::kLine, InPercent(kind->sparsification.oracle)}};
  const std::string caption = absl::StrFormat(
      "Error rate left after dropping the most uncertain pixels, and the least there could be; the area between is "
      "AUSE (Ilg et al. 2018), %s.",
      Decimal(kind->sparsification.ause, 4));
  chart.description = caption;
  return Figure(RenderLineChart(chart), chart.title, caption);
}

std::string ConfusionFigure(const EvaluationResult& result, const std::string& name, const std::string& id) {
  MatrixChart chart;
  chart.id = absl::StrCat(id, "-confusion");
  chart.title = absl::StrCat("Confusion of ", name);
  chart.row_label = "true class";
  chart.column_label = "predicted class";
  for (const ClassSpec& entry : result.classes) chart.names.push_back(entry.name);
  for (const std::vector<int64_t>& counts : result.confusion) {
    double total = 0;
    for (const int64_t count : counts) total += static_cast<double>(count);
    std::vector<double>& row = chart.shares.emplace_back();
    for (const int64_t count : counts) row.push_back(total > 0 ? static_cast<double>(count) / total : std::nan(""));
  }
  const std::string caption =
      "Where each true class's pixels went, in percent of the row; the diagonal is each class's recall. Colour by the "
      "square root of the share, so that small ones show; under half a percent has no number.";
  chart.description = caption;
  return Figure(RenderMatrixChart(chart), chart.title, caption, FigureWidth::kFull);
}

std::string ClassFigures(const ChartSource& source, UncertaintyKind kind) {
  const std::vector<ClassSpec>& classes = source.results[source.members[0]].result.classes;
  std::string html;
  for (size_t first = 0; first < classes.size(); first += kMostCategories) {
    const size_t last = std::min(first + kMostCategories, classes.size());
    BarChart iou;
    iou.id = absl::StrCat(source.id, "-iou-", first);
    iou.title = "Intersection over union by class";
    iou.value = {"IoU (%)", 0.0, 100.0};
    iou.description = "Higher is better. A dash: neither labelled nor predicted.";
    BarChart uncertainty;
    uncertainty.id = absl::StrCat(source.id, "-uncertainty-", first);
    uncertainty.title = "Uncertainty by predicted class";
    uncertainty.value = {absl::StrCat("mean ", UncertaintyKindName(kind), " (", UncertaintyKindUnit(kind), ")")};
    uncertainty.description = "A student's bars should be as long as its teacher's. A dash: never predicted.";
    uncertainty.digits = 3;
    for (size_t c = first; c < last; ++c) iou.categories.push_back(classes[c].name);
    uncertainty.categories = iou.categories;
    for (size_t m = 0; m < std::min<size_t>(source.members.size(), 4); ++m) {
      const size_t i = source.members[m];
      const EvaluationResult& result = source.results[i].result;
      const KindFigures* figures = FindKind(result, kind);
      BarSeries ious = {source.names[i]};
      BarSeries means = {source.names[i]};
      for (size_t c = first; c < last; ++c) {
        ious.values.push_back(100 * result.class_iou[c]);
        means.values.push_back(figures != nullptr ? figures->class_pooled[c] : std::nan(""));
      }
      iou.series.push_back(std::move(ious));
      uncertainty.series.push_back(std::move(means));
    }
    absl::StrAppend(&html, Figure(RenderBarChart(iou), iou.title, iou.description),
                    Figure(RenderBarChart(uncertainty), uncertainty.title, uncertainty.description));
  }
  return html;
}

}  // namespace candor
