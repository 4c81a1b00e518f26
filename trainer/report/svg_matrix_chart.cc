// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "trainer/report/svg_chart.h"
#include "trainer/report/svg_parts.h"

namespace candor {
namespace {

constexpr double kMaxNameWidth = 110;
constexpr size_t kMostWithNumbers = 24;  // more classes: cells too small for a number
constexpr size_t kMostWithNames = 48;    // more: indices, every tenth

struct MatrixLayout {
  double left = 0;
  double top = 0;
  double cell = 0;
  size_t count = 0;

  double side() const { return cell * static_cast<double>(count); }
};

// White, the blue of Okabe and Ito, nearly black: lightness falls evenly enough to read in grey.
std::string ShareColour(double share) {
  constexpr std::array<std::array<double, 3>, 3> kStops = {{{255, 255, 255}, {0, 114, 178}, {0, 28, 56}}};
  const double level = 2 * std::sqrt(std::clamp(share, 0.0, 1.0));
  const size_t stop = level < 1 ? 0 : 1;
  std::array<int, 3> rgb;
  for (size_t i = 0; i < 3; ++i) {
    const double step = level - static_cast<double>(stop);
    rgb[i] = static_cast<int>(std::lround(kStops[stop][i] + step * (kStops[stop + 1][i] - kStops[stop][i])));
  }
  return absl::StrFormat("#%02x%02x%02x", rgb[0], rgb[1], rgb[2]);
}

bool IsNamed(const MatrixLayout& layout, size_t index) { return layout.count <= kMostWithNames || index % 10 == 0; }

std::string NameOf(const MatrixChart& chart, size_t index) {
  return chart.names.size() <= kMostWithNames ? chart.names[index] : absl::StrCat(index);
}

std::string Cells(const MatrixChart& chart, const MatrixLayout& layout) {
  std::string svg;
  for (size_t r = 0; r < layout.count; ++r) {
    for (size_t c = 0; c < layout.count; ++c) {
      const double share = chart.shares[r][c];
      if (!std::isfinite(share) || share <= 0) continue;
      const double x = layout.left + static_cast<double>(c) * layout.cell;
      const double y = layout.top + static_cast<double>(r) * layout.cell;
      absl::StrAppendFormat(&svg, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"%s\"/>", x, y,
                            layout.cell, layout.cell, ShareColour(share));
      if (layout.count > kMostWithNumbers || share < 0.005) continue;
      absl::StrAppend(
          &svg, SvgText(x + layout.cell / 2, y + layout.cell / 2, absl::StrFormat("%.0f", 100 * share),
                        {"middle", std::min(kFontSize, layout.cell * 0.42), 0, share > 0.15 ? "paper" : "number"}));
    }
    absl::StrAppend(&svg, "\n");
  }
  return svg;
}

std::string Names(const MatrixChart& chart, const MatrixLayout& layout) {
  const double size = std::clamp(layout.cell * 0.8, 7.0, kFontSize);
  std::string svg;
  for (size_t i = 0; i < layout.count; ++i) {
    if (!IsNamed(layout, i)) continue;
    const double at = (static_cast<double>(i) + 0.5) * layout.cell;
    const std::string name = FitText(NameOf(chart, i), size, kMaxNameWidth);
    absl::StrAppend(&svg, SvgText(layout.left - 6, layout.top + at, name, {"end", size}),
                    SvgText(layout.left + at, layout.top + layout.side() + 6, name, {"end", size, -90}));
  }
  return svg;
}

// A bar of the colours with their shares in percent, right of the matrix.
std::string Key(const MatrixLayout& layout) {
  constexpr int kParts = 40;
  const double x = layout.left + layout.side() + 14;
  const double height = std::min(layout.side(), 220.0);
  std::string svg;
  for (int i = 0; i < kParts; ++i) {
    const double root = (i + 0.5) / kParts;
    absl::StrAppendFormat(&svg, "<rect x=\"%.1f\" y=\"%.2f\" width=\"12\" height=\"%.2f\" fill=\"%s\"/>", x,
                          layout.top + height * (1 - (i + 1.0) / kParts), height / kParts + 0.3,
                          ShareColour(root * root));
  }
  absl::StrAppend(&svg, "\n");
  for (const double percent : {0.0, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0}) {
    const double y = layout.top + height * (1 - std::sqrt(percent / 100));
    absl::StrAppend(&svg, SvgText(x + 16, y, absl::StrFormat("%g", percent), {"start", kSmallFontSize, 0, "quiet"}));
  }
  return absl::StrCat(svg, SvgText(x + 6, layout.top - 12, "%", {"middle", kSmallFontSize, 0, "quiet"}));
}

}  // namespace

std::string RenderMatrixChart(const MatrixChart& chart) {
  MatrixLayout layout;
  layout.count = chart.names.size();
  double names = 0;
  for (size_t i = 0; i < layout.count; ++i) {
    if (IsNamed(layout, i)) names = std::max(names, TextWidth(NameOf(chart, i), kFontSize));
  }
  names = std::min(names, kMaxNameWidth) + 8;
  layout.left = 20 + names;
  layout.top = 22;
  layout.cell =
      std::min((chart.width - layout.left - 50) / static_cast<double>(std::max<size_t>(layout.count, 1)), 44.0);
  const double side = layout.side();
  const double bottom = layout.top + side;
  const std::string frame =
      absl::StrFormat("x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"", layout.left, layout.top, side, side);
  return absl::StrCat(OpenSvg(chart.id, chart.title, chart.description, layout.left + side + 50, bottom + names + 26),
                      "<rect ", frame, " fill=\"#ffffff\"/>\n", Cells(chart, layout), "<rect class=\"axis\" ", frame,
                      " fill=\"none\" stroke=\"#566070\"/>\n", Names(chart, layout), Key(layout),
                      SvgText(layout.left + side / 2, bottom + names + 14, chart.column_label),
                      SvgText(9, layout.top + side / 2, chart.row_label, {"middle", kFontSize, -90}), CloseSvg());
}

}  // namespace candor
