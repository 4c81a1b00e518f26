// SPDX-License-Identifier: Apache-2.0
//
// The parts of the demo page, embedded at build time from page.html, page.css, page_pixels.js and page.js.
#pragma once

namespace candor {

extern const char kPageHtml[];  // has a {{NAME}} where something is put in
extern const char kPageStyle[];
extern const char kPageScript[];

}  // namespace candor
