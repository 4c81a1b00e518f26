// SPDX-License-Identifier: Apache-2.0
//
// EXPECT_THAT(svg, IsWellFormedXml());
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"

namespace candor {

// Empty if `xml` is one well-formed element: tags nest, attributes are quoted and no two of an element share a name,
// and
// '<' and '&' stand only where XML 1.0 lets them. Else what is wrong, and where. Knows no comments, CDATA or DTD.
std::string XmlFault(absl::string_view xml);

// Each "<svg ...>...</svg>" of the page.
std::vector<std::string> SvgsOf(absl::string_view html);

// How often `part` stands in `text`.
int CountOf(absl::string_view text, absl::string_view part);

MATCHER(IsWellFormedXml, "is well-formed XML") {
  const std::string fault = XmlFault(arg);
  *result_listener << fault;
  return fault.empty();
}

}  // namespace candor
