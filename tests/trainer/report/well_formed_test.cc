// SPDX-License-Identifier: Apache-2.0
#include "tests/trainer/report/well_formed.h"

#include "gtest/gtest.h"

namespace candor {
namespace {

using testing::HasSubstr;

TEST(XmlFaultTest, NestedElementsPass) {
  EXPECT_EQ(XmlFault("<svg a=\"1\" b=\"x &amp; y\"><g><path d=\"M0 0\"/></g>a &lt; b</svg>\n"), "");
}

TEST(XmlFaultTest, FaultsAreFound) {
  EXPECT_THAT(XmlFault("<a><b></a></b>"), HasSubstr("not open"));
  EXPECT_THAT(XmlFault("<a>"), HasSubstr("not closed"));
  EXPECT_THAT(XmlFault("<a/><b/>"), HasSubstr("not one element"));
  EXPECT_THAT(XmlFault("<a b=1/>"), HasSubstr("quoted"));
  EXPECT_THAT(XmlFault("<a b=\"1\" b=\"2\"/>"), HasSubstr("repeated"));
  EXPECT_THAT(XmlFault("<a b=\"1\"c=\"2\"/>"), HasSubstr("no space"));
  EXPECT_THAT(XmlFault("<a b=\"<\"/>"), HasSubstr("< in a value"));
  EXPECT_THAT(XmlFault("<a>x & y</a>"), HasSubstr("entity"));
  EXPECT_THAT(XmlFault("<a>1 < 2</a>"), HasSubstr("no name"));
  EXPECT_THAT(XmlFault(std::string("<a>\x01</a>")), HasSubstr("control"));
}

}  // namespace
}  // namespace candor
