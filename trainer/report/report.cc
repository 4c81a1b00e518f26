// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/report.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "trainer/report/html.h"
#include "trainer/report/page_parts.h"
#include "trainer/report/sections.h"

namespace candor {
namespace {

// The page may use what stands in it and nothing else.
constexpr char kPolicy[] =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'";

std::string Link(absl::string_view section_html, absl::string_view id, absl::string_view title) {
  if (section_html.empty()) return "";
  return absl::StrCat("<li><a href=\"#", id, "\">", title, "</a></li>");
}

std::string Head(const ReportInput& input) {
  return absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
      "http-equiv=\"Content-Security-Policy\" "
      "content=\"",
      kPolicy,
      "\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"generator\" "
      "content=\"candor ",
      EscapeHtml(input.candor_version), "\">\n<title>", EscapeHtml(input.title), "</title>\n<style>\n", kReportStyle,
      "</style>\n</head>\n");
}

}  // namespace

absl::StatusOr<std::string> RenderReport(const ReportInput& input) {
  for (const ReportedResult& reported : input.results) RETURN_IF_ERROR(CheckResult(reported.result));
  const std::string classes = ClassSection(input);
  const std::string detection = DetectionSection(input);
  const std::string figures = FigureSection(input);
  const std::string training = TrainingSection(input);
  ASSIGN_OR_RETURN(const std::string side_by_side, SideBySideSection(input));
  ASSIGN_OR_RETURN(const std::string pictures, PictureSection(input));
  return absl::StrCat(Head(input), "<body>\n<header>\n<h1>", EscapeHtml(input.title), "</h1>\n<p>",
                      EscapeHtml(input.date), ", candor ", EscapeHtml(input.candor_version),
                      "</p>\n<nav aria-label=\"Sections\"><ul><li><a href=\"#summary\">Summary</a></li>",
                      Link(classes, "classes", "Classes"), Link(detection, "detection", "What uncertainty finds"),
                      Link(figures, "figures", "Figures"), Link(training, "training", "Training"),
                      Link(side_by_side, "side-by-side", "Side by side"), Link(pictures, "pictures", "Pictures"),
                      "<li><a href=\"#definitions\">Definitions</a></li></ul></nav>\n</header>\n<main>\n",
                      SummarySection(input), classes, detection, figures, training, side_by_side, pictures,
                      DefinitionSection(input), "</main>\n<footer>Made by candor ", EscapeHtml(input.candor_version),
                      ", ", EscapeHtml(input.date), ".</footer>\n<script>\n", kReportScript,
                      "</script>\n</body>\n</html>\n");
}

}  // namespace candor
