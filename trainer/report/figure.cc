// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/figure.h"

#include "absl/strings/str_cat.h"
#include "trainer/report/html.h"

namespace candor {

std::string Figure(absl::string_view svg, absl::string_view title, absl::string_view caption, FigureWidth width) {
  return absl::StrCat("<figure", width == FigureWidth::kFull ? " class=\"full\"" : "", ">\n<div class=\"plot\">", svg,
                      "</div>\n<figcaption><b>", EscapeHtml(title), ".</b> ", EscapeHtml(caption),
                      "</figcaption>\n</figure>\n");
}

}  // namespace candor
