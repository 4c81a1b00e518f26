// SPDX-License-Identifier: Apache-2.0
//
// What charts are put together from. Lengths are units of the view box; y grows downwards.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace candor {

inline constexpr double kFontSize = 12;
inline constexpr double kSmallFontSize = 10;

// The opening tag with title and description; CloseSvg() ends it.
std::string OpenSvg(absl::string_view id, absl::string_view title, absl::string_view description, double width,
                    double height);
std::string CloseSvg();

// A guess for common sans-serif faces, on the wide side.
double TextWidth(absl::string_view text, double font_size);
// At most as wide as `width`, cut short with an ellipsis where it must be. Not escaped.
std::string FitText(absl::string_view text, double font_size, double width);

struct TextStyle {
  absl::string_view anchor = "middle";  // "start", "middle" or "end"
  double font_size = kFontSize;
  double turn_degrees = 0;                 // around the anchor, clockwise
  absl::string_view colour_class = "ink";  // "ink", "quiet" or "paper"
};
// `y` is the middle of the line. The text is escaped.
std::string SvgText(double x, double y, absl::string_view text, const TextStyle& style = {});

// Class "grid" or "axis".
std::string SvgLine(double x1, double y1, double x2, double y2, absl::string_view line_class);

// The looks of the series with this index; they repeat only after 35.
struct SeriesStyle {
  int colour = 0;  // of the palette
  absl::string_view dash;
  int marker = 0;
};
SeriesStyle StyleOf(int series);
// "#0072b2".
absl::string_view PaletteColour(int colour);

// A marker about 8 wide.
std::string SvgMarker(const SeriesStyle& style, double x, double y);
// Opens a group that belongs to a series; class "curve" or "entry" (of the legend). The page's script lights up both.
std::string SeriesGroup(int series, absl::string_view group_class);
// Attributes of a line: class, stroke, dashes.
std::string StrokeAttributes(const SeriesStyle& style);

// Hatching over bars of series 1, 2, 3: pattern elements that FillAttributes refers to. Series 0 has none.
std::string HatchPatterns(absl::string_view id);
// A rectangle in the series' colour, hatched.
std::string HatchedRectangle(absl::string_view id, int series, double x, double y, double width, double height);

enum class LegendSample { kLine, kLineWithMarker, kReference, kShade, kBar };

struct LegendEntry {
  std::string name;
  int series = 0;
  LegendSample sample = LegendSample::kLineWithMarker;
};

struct Legend {
  std::string svg;
  double height = 0;  // rows and the room below them; 0 without entries
};

// Entries from the left, in as many rows as they need, from y = 0 on; many of them in columns.
Legend LayOutLegend(absl::string_view id, const std::vector<LegendEntry>& entries, double left, double width);

}  // namespace candor
