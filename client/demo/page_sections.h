// SPDX-License-Identifier: Apache-2.0
//
// The parts of the demo page that are text: HTML fragments with every name escaped.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/demo/demo_report.h"
#include "core/image/image.h"

namespace candor {

// Safe as text and in a quoted attribute.
std::string EscapeHtml(absl::string_view text);

// The figures that matter most: speed ratio, agreement and, with ground truth, accuracy.
std::string LeadSection(const DemoReport& report);

// A CSS gradient from left to right through `colours`.
std::string Gradient(const std::vector<Colour>& colours);

// List items, one a class.
std::string ClassLegend(const DemoReport& report);

// One section a picture, with a canvas for each map; the canvases have ids such as "p0-student-labels".
std::string PictureSections(const DemoReport& report);

// A table with what the command line prints.
std::string FiguresTable(const DemoReport& report);

// A table of each class's intersection over union and mean uncertainty; empty without classes.
std::string ClassTable(const DemoReport& report);

// A paragraph, or nothing.
std::string CreditLine(const DemoReport& report);

}  // namespace candor
