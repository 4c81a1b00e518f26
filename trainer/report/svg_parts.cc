// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/svg_parts.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "trainer/report/html.h"

namespace candor {
namespace {

// Okabe and Ito 2008, "Color Universal Design", without the yellow, which white paper swallows.
constexpr std::array<absl::string_view, 7> kPalette = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                       "#e69f00", "#56b4e9", "#222222"};
constexpr std::array<absl::string_view, 5> kDashes = {"", "7 3", "2 3", "9 3 2 3", "14 4"};
constexpr int kMarkers = 6;

constexpr double kLegendRow = 18;
constexpr double kLegendSample = 28;
constexpr double kLegendGap = 16;
constexpr size_t kEntriesInColumns = 8;  // from so many on they stand below one another

std::string Fill(const SeriesStyle& style) {
  return absl::StrFormat("class=\"f%d\" fill=\"%s\"", style.colour, PaletteColour(style.colour));
}

std::string MarkerPath(int marker, double x, double y) {
  switch (marker) {
    case 1:
      return absl::StrFormat("M%.1f %.1fh7v7h-7z", x - 3.5, y - 3.5);
    case 2:
      return absl::StrFormat("M%.1f %.1fl4.4 7.6h-8.8z", x, y - 4.8);
    case 3:
      return absl::StrFormat("M%.1f %.1fl4.6 4.6l-4.6 4.6l-4.6 -4.6z", x, y - 4.6);
    case 4:
      return absl::StrFormat("M%.1f %.1fl7 7m0 -7l-7 7", x - 3.5, y - 3.5);
    default:
      return absl::StrFormat("M%.1f %.1fh9m-4.5 -4.5v9", x - 4.5, y);
  }
}

double EntryWidth(const LegendEntry& entry, double most) {
  return kLegendSample + TextWidth(FitText(entry.name, kFontSize, most - kLegendSample), kFontSize);
}

std::string Sample(absl::string_view id, const LegendEntry& entry, double x, double y) {
  const SeriesStyle style = StyleOf(entry.series);
  switch (entry.sample) {
    case LegendSample::kShade:
      return absl::StrFormat(
          "<rect class=\"shade\" x=\"%.1f\" y=\"%.1f\" width=\"16\" height=\"10\" fill=\"#b8c0ca\"/>", x + 6, y - 5);
    case LegendSample::kBar:
      return HatchedRectangle(id, entry.series, x + 6, y - 5, 16, 10);
    case LegendSample::kReference:
      return SvgLine(x, y, x + 24, y, "reference");
    case LegendSample::kLine:
    case LegendSample::kLineWithMarker:
      break;
  }
  std::string svg = absl::StrFormat("<path d=\"M%.1f %.1fh24\" %s/>", x, y, StrokeAttributes(style));
  if (entry.sample == LegendSample::kLineWithMarker) absl::StrAppend(&svg, SvgMarker(style, x + 12, y));
  return svg;
}

}  // namespace

// A small chart is not blown up to the page's width.
constexpr double kLargestScale = 1.35;

std::string OpenSvg(absl::string_view id, absl::string_view title, absl::string_view description, double width,
                    double height) {
  const std::string name = EscapeHtml(id);
  return absl::StrFormat(
      "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"%s-t %s-d\" "
      "viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\" style=\"max-width: %.0fpx\" font-family=\"system-ui, "
      "'Segoe UI', Roboto, Arial, "
      "sans-serif\">\n<title id=\"%s-t\">%s</title><desc id=\"%s-d\">%s</desc>\n",
      name, name, width, height, width, height, kLargestScale * width, name, EscapeHtml(title), name,
      EscapeHtml(description));
}

std::string CloseSvg() { return "</svg>\n"; }

double TextWidth(absl::string_view text, double font_size) {
  double widths = 0;  // in font sizes
  for (const char byte : text) {
    if ((static_cast<uint8_t>(byte) & 0xC0) == 0x80) continue;  // the rest of a character
    if (absl::string_view("iljtfr.,:;|!'()[] ").find(byte) != absl::string_view::npos) {
      widths += 0.36;
    } else {
      widths += absl::string_view("mwMW%@").find(byte) != absl::string_view::npos ? 0.92 : 0.6;
    }
  }
  return widths * font_size;
}

std::string FitText(absl::string_view text, double font_size, double width) {
  if (TextWidth(text, font_size) <= width) return std::string(text);
  constexpr absl::string_view kEllipsis = "\xE2\x80\xA6";
  while (!text.empty() && TextWidth(text, font_size) + font_size > width) {
    do {
      text.remove_suffix(1);
    } while (!text.empty() && (static_cast<uint8_t>(text.back()) & 0xC0) == 0x80);
    if (!text.empty() && static_cast<uint8_t>(text.back()) >= 0xC0) text.remove_suffix(1);
  }
  return absl::StrCat(text, kEllipsis);
}

std::string SvgText(double x, double y, absl::string_view text, const TextStyle& style) {
  const absl::string_view colour =
      style.colour_class == "paper" ? "#ffffff" : (style.colour_class == "quiet" ? "#566070" : "#1b1f27");
  // 0.35 of the size below the middle is the base line of digits and capitals.
  std::string svg =
      absl::StrFormat("<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" font-size=\"%g\" text-anchor=\"%s\" fill=\"%s\"",
                      style.colour_class, x, y + 0.35 * style.font_size, style.font_size, style.anchor, colour);
  if (style.turn_degrees != 0) {
    absl::StrAppendFormat(&svg, " transform=\"rotate(%g %.1f %.1f)\"", style.turn_degrees, x, y);
  }
  return absl::StrCat(svg, ">", EscapeHtml(text), "</text>\n");
}

std::string SvgLine(double x1, double y1, double x2, double y2, absl::string_view line_class) {
  const absl::string_view colour =
      line_class == "grid" ? "#e2e6ec" : (line_class == "reference" ? "#7a8494" : "#566070");
  return absl::StrFormat(
      "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"%s\" fill=\"none\" stroke-width=\"%s\"/>\n", line_class,
      x1, y1, x2, y2, colour, line_class == "reference" ? "1.2" : "1");
}

SeriesStyle StyleOf(int series) {
  const int colours = static_cast<int>(kPalette.size());
  const int dashes = static_cast<int>(kDashes.size());
  // 7 colours and 5 dashes have no common factor: all 35 pairs come up before one returns.
  return {series % colours, kDashes[series % dashes], series % kMarkers};
}

absl::string_view PaletteColour(int colour) { return kPalette[colour]; }

std::string SvgMarker(const SeriesStyle& style, double x, double y) {
  if (style.marker == 0) return absl::StrFormat("<circle %s cx=\"%.1f\" cy=\"%.1f\" r=\"3.6\"/>", Fill(style), x, y);
  const std::string path = MarkerPath(style.marker, x, y);
  if (style.marker < 4) return absl::StrFormat("<path %s d=\"%s\"/>", Fill(style), path);
  return absl::StrFormat("<path class=\"c%d\" d=\"%s\" stroke=\"%s\" stroke-width=\"2\" fill=\"none\"/>", style.colour,
                         path, PaletteColour(style.colour));
}

std::string SeriesGroup(int series, absl::string_view group_class) {
  return absl::StrCat("<g class=\"", group_class, "\" data-series=\"", series, "\">");
}

std::string StrokeAttributes(const SeriesStyle& style) {
  std::string attributes =
      absl::StrFormat("class=\"c%d\" stroke=\"%s\" stroke-width=\"2\" fill=\"none\" stroke-linejoin=\"round\"",
                      style.colour, PaletteColour(style.colour));
  if (!style.dash.empty()) absl::StrAppend(&attributes, " stroke-dasharray=\"", style.dash, "\"");
  return attributes;
}

std::string HatchPatterns(absl::string_view id) {
  constexpr std::array<absl::string_view, 3> kHatches = {"M0 6L6 0M-1 1L1 -1M5 7L7 5", "M0 0L6 6M-1 5L1 7M5 -1L7 1",
                                                         "M3 0V6"};
  std::string svg = "<defs>";
  for (size_t i = 0; i < kHatches.size(); ++i) {
    absl::StrAppendFormat(
        &svg,
        "<pattern id=\"%s-h%d\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><path d=\"%s\" "
        "stroke=\"#ffffff\" stroke-width=\"1.4\"/></pattern>",
        EscapeHtml(id), i + 1, kHatches[i]);
  }
  return absl::StrCat(svg, "</defs>\n");
}

std::string HatchedRectangle(absl::string_view id, int series, double x, double y, double width, double height) {
  const std::string box =
      absl::StrFormat("x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"", x, y, std::max(width, 0.0), height);
  std::string svg = absl::StrFormat("<rect %s %s/>", Fill(StyleOf(series)), box);
  const int hatch = series % 4;
  if (hatch > 0) absl::StrAppendFormat(&svg, "<rect fill=\"url(#%s-h%d)\" %s/>", EscapeHtml(id), hatch, box);
  return absl::StrCat(svg, "\n");
}

Legend LayOutLegend(absl::string_view id, const std::vector<LegendEntry>& entries, double left, double width) {
  Legend legend;
  if (entries.empty()) return legend;
  double x = left;
  double y = kLegendRow / 2 + 1;
  double column = 0;  // 0: entries follow one another
  if (entries.size() >= kEntriesInColumns) {
    for (const LegendEntry& entry : entries) column = std::max(column, EntryWidth(entry, width));
  }
  for (const LegendEntry& entry : entries) {
    const double entry_width = std::max(column, EntryWidth(entry, width));
    if (x > left && x + entry_width > left + width) {
      x = left;
      y += kLegendRow;
    }
    const std::string name = FitText(entry.name, kFontSize, width - kLegendSample);
    absl::StrAppend(&legend.svg, SeriesGroup(entry.series, "entry"), Sample(id, entry, x, y),
                    SvgText(x + kLegendSample, y, name, {"start"}), "</g>\n");
    x += entry_width + kLegendGap;
  }
  legend.height = y + kLegendRow / 2 + 6;
  return legend;
}

}  // namespace candor
