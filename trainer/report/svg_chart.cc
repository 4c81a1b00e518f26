// SPDX-License-Identifier: Apache-2.0
//
// Line charts.
#include "trainer/report/svg_chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "trainer/report/svg_parts.h"
#include "trainer/report/ticks.h"

namespace candor {
namespace {

constexpr int kSteps = 6;           // at most, on an axis
constexpr size_t kFewPoints = 24;   // up to here each point has its marker
constexpr size_t kSomeMarkers = 8;  // on longer lines
constexpr double kRight = 16;
constexpr double kBottom = 46;

struct Scale {
  Range range;
  bool is_logarithmic = false;
  double from = 0;  // where range.low is drawn
  double to = 0;

  double At(double value) const {
    const double clamped = std::clamp(value, range.low, range.high);
    const double share = is_logarithmic ? std::log(clamped / range.low) / std::log(range.high / range.low)
                                        : (clamped - range.low) / (range.high - range.low);
    return from + share * (to - from);
  }
};

bool IsFinite(const ChartPoint& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

Range RangeOf(const LineChart& chart, double ChartPoint::*coordinate, const ChartAxis& axis) {
  Range range = {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const ChartSeries& series : chart.series) {
    for (const ChartPoint& point : series.points) {
      const double value = point.*coordinate;
      if (!IsFinite(point) || (axis.is_logarithmic && value <= 0)) continue;
      range.low = std::min(range.low, value);
      range.high = std::max(range.high, value);
    }
  }
  if (range.low > range.high) range = axis.is_logarithmic ? Range{0.1, 1} : Range{0, 1};
  range.low = axis.low.value_or(range.low);
  range.high = axis.high.value_or(range.high);
  const Range nice = axis.is_logarithmic ? NiceLogarithmicRange(range) : NiceRange(range, kSteps);
  return {axis.low.value_or(nice.low), axis.high.value_or(nice.high)};
}

Ticks TicksOf(const Scale& scale, int steps) {
  return scale.is_logarithmic ? LogarithmicTicks(scale.range.low, scale.range.high, steps + 1)
                              : LinearTicks(scale.range.low, scale.range.high, steps);
}

double LabelWidth(const Ticks& ticks) {
  double width = 0;
  for (const std::string& label : ticks.labels) width = std::max(width, TextWidth(label, kFontSize));
  return width;
}

// As many as stand beside each other.
Ticks HorizontalTicks(const Scale& scale) {
  for (const int steps : {10, 8, kSteps, 4}) {
    Ticks ticks = TicksOf(scale, steps);
    const double room = LabelWidth(ticks) + kFontSize;
    if (room * static_cast<double>(ticks.values.size()) <= scale.to - scale.from) return ticks;
  }
  return TicksOf(scale, 2);
}

std::vector<LegendEntry> LegendOf(const LineChart& chart) {
  std::vector<LegendEntry> entries;
  int index = 0;  // shades and references take no look
  for (const ChartSeries& series : chart.series) {
    LegendEntry entry = {series.name, index, LegendSample::kLineWithMarker};
    if (series.form == SeriesForm::kBars) entry.sample = LegendSample::kShade;
    if (series.form == SeriesForm::kReference) entry.sample = LegendSample::kReference;
    if (series.form == SeriesForm::kStep) entry.sample = LegendSample::kLine;
    if (series.form == SeriesForm::kLine || series.form == SeriesForm::kStep) ++index;
    if (!series.name.empty()) entries.push_back(entry);
  }
  return entries;
}

std::string LinePath(const ChartSeries& series, const Scale& x, const Scale& y) {
  std::string path;
  bool is_open = false;
  double last_y = 0;
  for (const ChartPoint& point : series.points) {
    if (!IsFinite(point)) {
      is_open = false;
      continue;
    }
    const double at_y = y.At(point.y);
    if (is_open && series.form == SeriesForm::kStep) absl::StrAppendFormat(&path, "L%.1f %.1f", x.At(point.x), last_y);
    absl::StrAppendFormat(&path, "%s%.1f %.1f", is_open ? "L" : "M", x.At(point.x), at_y);
    is_open = true;
    last_y = at_y;
  }
  return path;
}

std::string Bars(const ChartSeries& series, const Scale& x, const Scale& y) {
  std::string svg;
  const double base = y.from;
  for (const ChartPoint& point : series.points) {
    if (!IsFinite(point)) continue;
    const double left = x.At(point.x - series.bar_width / 2);
    const double top = y.At(point.y);
    absl::StrAppendFormat(
        &svg, "<rect class=\"shade\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#b8c0ca\"/>\n",
        left + 0.5, top, std::max(x.At(point.x + series.bar_width / 2) - left - 1, 0.5), base - top);
  }
  return svg;
}

std::string Line(const ChartSeries& series, int index, const Scale& x, const Scale& y) {
  const std::string path = LinePath(series, x, y);
  if (path.empty()) return "";
  if (series.form == SeriesForm::kReference) {
    return absl::StrCat("<path class=\"reference\" d=\"", path,
                        "\" stroke=\"#7a8494\" stroke-width=\"1.2\" fill=\"none\"/>\n");
  }
  const SeriesStyle style = StyleOf(index);
  std::string svg = absl::StrCat("<path ", StrokeAttributes(style), " d=\"", path, "\"/>\n");
  if (series.form == SeriesForm::kStep) return svg;
  const size_t count = series.points.size();
  const size_t stride = count <= kFewPoints ? 1 : (count + kSomeMarkers - 1) / kSomeMarkers;
  // Lines that run together have their markers at different places.
  for (size_t i = count <= kFewPoints ? 0 : (stride * static_cast<size_t>(index) / 3) % stride; i < count;
       i += stride) {
    const ChartPoint& point = series.points[i];
    if (IsFinite(point)) absl::StrAppend(&svg, SvgMarker(style, x.At(point.x), y.At(point.y)), "\n");
  }
  return svg;
}

std::string Axes(const LineChart& chart, const Scale& x, const Scale& y) {
  std::string svg;
  const Ticks x_ticks = HorizontalTicks(x);
  const Ticks y_ticks = TicksOf(y, kSteps);
  for (size_t i = 0; i < y_ticks.values.size(); ++i) {
    const double at = y.At(y_ticks.values[i]);
    absl::StrAppend(&svg, SvgLine(x.from, at, x.to, at, "grid"),
                    SvgText(x.from - 7, at, y_ticks.labels[i], {"end", kFontSize, 0, "quiet"}));
  }
  for (size_t i = 0; i < x_ticks.values.size(); ++i) {
    const double at = x.At(x_ticks.values[i]);
    absl::StrAppend(&svg, SvgLine(at, y.from, at, y.from + 5, "axis"),
                    SvgText(at, y.from + 14, x_ticks.labels[i], {"middle", kFontSize, 0, "quiet"}));
  }
  absl::StrAppend(&svg, SvgLine(x.from, y.from, x.to, y.from, "axis"), SvgLine(x.from, y.to, x.from, y.from, "axis"));
  const double wide = x.to - x.from;
  const double high = y.from - y.to;
  absl::StrAppend(
      &svg, SvgText(x.from + wide / 2, y.from + 34, FitText(chart.x.label, kFontSize, wide + 30)),
      SvgText(9, y.to + high / 2, FitText(chart.y.label, kFontSize, high + 40), {"middle", kFontSize, -90, "ink"}));
  return svg;
}

std::string Series(const LineChart& chart, const Scale& x, const Scale& y) {
  std::string bars;
  std::string lines;
  bool has_point = false;
  int index = 0;
  for (const ChartSeries& series : chart.series) {
    has_point = has_point || (series.form != SeriesForm::kReference &&
                              std::any_of(series.points.begin(), series.points.end(), IsFinite));
    if (series.form == SeriesForm::kBars) {
      absl::StrAppend(&bars, Bars(series, x, y));
    } else {
      absl::StrAppend(&lines, SeriesGroup(index, "curve"), Line(series, index, x, y), "</g>\n");
    }
    if (series.form == SeriesForm::kLine || series.form == SeriesForm::kStep) ++index;
  }
  if (!has_point) return absl::StrCat(lines, SvgText((x.from + x.to) / 2, (y.from + y.to) / 2, "no data"));
  return absl::StrCat(bars, lines);
}

}  // namespace

std::string RenderLineChart(const LineChart& chart) {
  const Legend legend = LayOutLegend(chart.id, LegendOf(chart), 8, chart.width - 16);
  Scale y = {RangeOf(chart, &ChartPoint::y, chart.y), chart.y.is_logarithmic, chart.height - kBottom,
             legend.height + 8};
  Scale x = {RangeOf(chart, &ChartPoint::x, chart.x), chart.x.is_logarithmic, 26 + LabelWidth(TicksOf(y, kSteps)),
             chart.width - kRight};
  // Half of the last label may stand out to the right.
  x.to = std::min(x.to, chart.width - 2 - LabelWidth(HorizontalTicks(x)) / 2);
  // A long legend must not eat the chart: it grows instead.
  const double missing = std::max(0.0, 160 - (y.from - y.to));
  y.from += missing;
  return absl::StrCat(OpenSvg(chart.id, chart.title, chart.description, chart.width, chart.height + missing),
                      legend.svg, Axes(chart, x, y), Series(chart, x, y), CloseSvg());
}

}  // namespace candor
