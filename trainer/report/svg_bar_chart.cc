// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "trainer/report/html.h"
#include "trainer/report/svg_chart.h"
#include "trainer/report/svg_parts.h"
#include "trainer/report/ticks.h"

namespace candor {
namespace {

constexpr int kSteps = 6;
constexpr double kBarHeight = 10;
constexpr double kGroupGap = 7;
constexpr double kMaxNameWidth = 130;
constexpr double kValueRoom = 40;  // behind the longest bar

struct BarLayout {
  double left = 0;   // of the bars
  double right = 0;  // of the axis
  double top = 0;
  double bottom = 0;
  double group_height = 0;
  Range range;

  double At(double value) const {
    const double share = (std::clamp(value, range.low, range.high) - range.low) / (range.high - range.low);
    return left + share * (right - left);
  }
};

Range RangeOf(const BarChart& chart) {
  double high = 0;
  for (const BarSeries& series : chart.series) {
    for (const double value : series.values) high = std::isfinite(value) ? std::max(high, value) : high;
  }
  const Range nice = NiceRange({0, high > 0 ? high : 1}, kSteps);
  return {chart.value.low.value_or(0), chart.value.high.value_or(nice.high)};
}

std::string Axis(const BarChart& chart, const BarLayout& layout) {
  std::string svg;
  const Ticks ticks = LinearTicks(layout.range.low, layout.range.high, kSteps);
  for (size_t i = 0; i < ticks.values.size(); ++i) {
    const double at = layout.At(ticks.values[i]);
    absl::StrAppend(&svg, SvgLine(at, layout.top, at, layout.bottom, "grid"),
                    SvgText(at, layout.bottom + 12, ticks.labels[i], {"middle", kFontSize, 0, "quiet"}));
  }
  const double middle = (layout.left + layout.right) / 2;
  return absl::StrCat(svg, SvgText(middle, layout.bottom + 31, chart.value.label));
}

std::string Group(const BarChart& chart, const BarLayout& layout, size_t category) {
  const double top = layout.top + kGroupGap / 2 + static_cast<double>(category) * layout.group_height;
  const double middle = top + (layout.group_height - kGroupGap) / 2;
  std::string svg =
      SvgText(layout.left - 7, middle, FitText(chart.categories[category], kFontSize, layout.left - 12), {"end"});
  for (size_t s = 0; s < chart.series.size(); ++s) {
    const std::vector<double>& values = chart.series[s].values;
    const double value = category < values.size() ? values[category] : std::nan("");
    const double y = top + static_cast<double>(s) * kBarHeight;
    const double end = std::isfinite(value) ? layout.At(value) : layout.left;
    if (std::isfinite(value)) {
      absl::StrAppend(
          &svg, HatchedRectangle(chart.id, static_cast<int>(s), layout.left, y, end - layout.left, kBarHeight - 1));
    }
    absl::StrAppend(&svg, SvgText(end + 4, y + kBarHeight / 2, Decimal(value, chart.digits),
                                  {"start", kSmallFontSize, 0, "quiet"}));
  }
  return svg;
}

}  // namespace

std::string RenderBarChart(const BarChart& chart) {
  std::vector<LegendEntry> entries;
  for (size_t s = 0; s < chart.series.size(); ++s) {
    entries.push_back({chart.series[s].name, static_cast<int>(s), LegendSample::kBar});
  }
  const Legend legend = LayOutLegend(chart.id, entries, 8, chart.width - 16);
  BarLayout layout;
  double names = 0;
  for (const std::string& name : chart.categories) names = std::max(names, TextWidth(name, kFontSize));
  layout.left = std::min(names, kMaxNameWidth) + 14;
  layout.right = chart.width - kValueRoom;
  layout.top = legend.height + 2;
  layout.group_height = static_cast<double>(chart.series.size()) * kBarHeight + kGroupGap;
  layout.bottom = layout.top + static_cast<double>(chart.categories.size()) * layout.group_height;
  layout.range = RangeOf(chart);
  std::string svg = absl::StrCat(OpenSvg(chart.id, chart.title, chart.description, chart.width, layout.bottom + 42),
                                 HatchPatterns(chart.id), legend.svg, Axis(chart, layout));
  for (size_t c = 0; c < chart.categories.size(); ++c) absl::StrAppend(&svg, Group(chart, layout, c));
  return absl::StrCat(svg, SvgLine(layout.left, layout.top, layout.left, layout.bottom, "axis"), CloseSvg());
}

}  // namespace candor
