// SPDX-License-Identifier: Apache-2.0
#include "client/demo/demo_page.h"

#include <cctype>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "core/image/decode.h"
#include "gmock/gmock.h"
#include "tests/client_demo/small_report.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// The first breach of nesting in `html`, or "". Script and style elements are skipped to their end tag.
std::string NestingFault(const std::string& html) {
  const std::set<std::string> void_elements = {"meta", "link", "input"};
  std::vector<std::string> open;
  for (size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    if (html[at + 1] == '!') continue;
    const size_t end = html.find('>', at);
    if (end == std::string::npos) return "tag without end: " + html.substr(at, 40);
    const bool closes = html[at + 1] == '/';
    size_t name_end = at + 1 + (closes ? 1 : 0);
    while (std::isalnum(static_cast<unsigned char>(html[name_end])) != 0) ++name_end;
    const std::string name = html.substr(at + 1 + (closes ? 1 : 0), name_end - at - 1 - (closes ? 1 : 0));
    if (name.empty()) return "stray <: " + html.substr(at, 40);
    if (closes) {
      if (open.empty() || open.back() != name) return "</" + name + "> does not close what is open";
      open.pop_back();
    } else if (void_elements.count(name) == 0) {
      open.push_back(name);
      if (name == "script" || name == "style") at = html.find("</" + name, end) - 1;
    }
  }
  return open.empty() ? "" : "never closed: " + open.back();
}

// What the page's script reads.
nlohmann::json PageDataOf(const std::string& page) {
  const std::string begin = "id=\"page-data\">";
  const size_t at = page.find(begin) + begin.size();
  return nlohmann::json::parse(page.substr(at, page.find("</script>", at) - at));
}

std::string BytesOf(const nlohmann::json& address, const std::string& type) {
  absl::string_view text = address.get_ref<const std::string&>();
  EXPECT_TRUE(absl::ConsumePrefix(&text, "data:" + type + ";base64,"));
  std::string bytes;
  EXPECT_TRUE(absl::Base64Unescape(text, &bytes));
  return bytes;
}

std::vector<uint8_t> MapOf(const nlohmann::json& address) {
  const auto map = DecodeLabelPng(BytesOf(address, "image/png"), DecodeLimits());
  EXPECT_THAT(map, IsOk());
  return map.ok() ? map->values : std::vector<uint8_t>();
}

TEST(UncertaintyScaleTest, IsTheLargestValueRoundedUp) {
  DemoReport report = SmallReport();
  report.pictures[1].student.uncertainty.values[3] = 0.41F;
  EXPECT_FLOAT_EQ(UncertaintyScale(report), 0.45F);
}

TEST(UncertaintyScaleTest, StaysWithinTheKindsRangeAndAboveZero) {
  DemoReport report = SmallReport();
  report.pictures[0].student.uncertainty.values[0] = 0.97F;
  EXPECT_FLOAT_EQ(UncertaintyScale(report), 1);
  EXPECT_FLOAT_EQ(UncertaintyScale(ReportWithoutPictures()), 0.05F);
}

TEST(QuantiseUncertaintyTest, RoundsAndClamps) {
  const ByteMap codes = QuantiseUncertainty({4, 1, {0.0F, 0.1F, 0.4F, 0.9F}}, 0.4F);
  // 0.1 / 0.4 * 255 = 63.75
  EXPECT_THAT(codes.values, ElementsAre(0, 64, 255, 255));
}

TEST(RenderDemoPageTest, IsWellNested) { EXPECT_EQ(NestingFault(RenderDemoPage(SmallReport())), ""); }

TEST(RenderDemoPageTest, TheNestingCheckFindsFaults) {
  EXPECT_NE(NestingFault("<p><b></p></b>"), "");
  EXPECT_NE(NestingFault("<p>"), "");
  EXPECT_NE(NestingFault("<p>1 < 2</p>"), "");
  EXPECT_EQ(NestingFault("<p><script>if (1 < 2) x = '<p>';</script></p>"), "");
}

TEST(RenderDemoPageTest, FillsEveryPlace) { EXPECT_THAT(RenderDemoPage(SmallReport()), Not(HasSubstr("{{"))); }

TEST(RenderDemoPageTest, ReadsNothingFromOutside) {
  const std::string page = absl::AsciiStrToLower(RenderDemoPage(SmallReport()));
  for (const char* outside : {"http:", "https:", "src=", "@import", "url(", "fetch(", "xmlhttprequest"}) {
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  }
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

TEST(RenderDemoPageTest, EmbedsTheMapsAsTheyAre) {
  const nlohmann::json data = PageDataOf(RenderDemoPage(SmallReport()));
  EXPECT_FLOAT_EQ(data["scale"], 0.4F);
  ASSERT_EQ(data["pictures"].size(), 2U);
  const nlohmann::json& left = data["pictures"][0];
  EXPECT_THAT(MapOf(left["student"]["labels"]), ElementsAre(0, 1, 2, 2));
  EXPECT_THAT(MapOf(left["teacher"]["labels"]), ElementsAre(0, 1, 1, 2));
  EXPECT_THAT(MapOf(left["truth"]), ElementsAre(0, 0, 2, 255));
  // 0.1, 0.2 and 0.3 of 0.4, times 255: 63.75, 127.5, 191.25
  EXPECT_THAT(MapOf(left["student"]["uncertainty"]), ElementsAre(0, 64, 128, 191));
  EXPECT_THAT(MapOf(left["teacher"]["uncertainty"]), ElementsAre(0, 255, 255, 0));
  const auto input = DecodeImage(BytesOf(left["input"], "image/jpeg"), DecodeLimits());
  ASSERT_THAT(input, IsOk());
  EXPECT_EQ(input->width, 2);
  EXPECT_TRUE(data["pictures"][1]["truth"].is_null());
}

TEST(RenderDemoPageTest, TheHeatColoursRunFromDarkToBright) {
  const nlohmann::json heat = PageDataOf(RenderDemoPage(SmallReport()))["heat"];
  ASSERT_EQ(heat.size(), 256U);
  const auto brightness = [&](int code) {
    return heat[code][0].get<int>() + heat[code][1].get<int>() + heat[code][2].get<int>();
  };
  EXPECT_LT(brightness(0), brightness(128));
  EXPECT_LT(brightness(128), brightness(255));
}

TEST(RenderDemoPageTest, NamesAreText) {
  DemoReport report = SmallReport();
  report.pictures[0].name = "</script><img src=x onerror=alert(1)>\"'{{data}}";
  report.classes[0].name = "road<b>";
  report.credit = "<script>";
  report.kind.name = "<kind>";
  const std::string page = RenderDemoPage(report);
  EXPECT_EQ(NestingFault(page), "");
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, Not(HasSubstr("<kind>")));
  EXPECT_THAT(page, HasSubstr("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;{{data}}"));
  EXPECT_THAT(page, HasSubstr("road&lt;b&gt;"));
}

}  // namespace
}  // namespace candor
