// SPDX-License-Identifier: Apache-2.0
//
// The report's style sheet and script, embedded at build time from report.css and report.js.
#pragma once

namespace candor {

extern const char kReportStyle[];
extern const char kReportScript[];  // sorts tables by a click; the page is whole without it

}  // namespace candor
