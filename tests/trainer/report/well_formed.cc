// SPDX-License-Identifier: Apache-2.0
#include "tests/trainer/report/well_formed.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace candor {
namespace {

class XmlReader {
 public:
  explicit XmlReader(absl::string_view xml) : xml_(xml), rest_(xml) {}

  std::string Fault() {
    while (fault_.empty() && !rest_.empty()) {
      if (rest_[0] == '<') {
        Tag();
      } else {
        Text();
      }
    }
    if (fault_.empty() && !open_.empty()) Fail(absl::StrCat(open_.back(), " is not closed"));
    if (fault_.empty() && roots_ != 1) Fail("not one element");
    return fault_;
  }

 private:
  void Fail(absl::string_view what) {
    if (fault_.empty()) fault_ = absl::StrCat(what, " at byte ", xml_.size() - rest_.size());
  }

  void Text() {
    const size_t length = std::min(rest_.find('<'), rest_.size());
    CheckCharacters(rest_.substr(0, length));
    const bool is_blank = absl::StripAsciiWhitespace(rest_.substr(0, length)).empty();
    if (open_.empty() && !is_blank) Fail("text outside the element");
    rest_.remove_prefix(length);
  }

  void CheckCharacters(absl::string_view text) {
    for (size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte < 0x20 && byte != '\n' && byte != '\t' && byte != '\r') Fail("control character");
      if (text[i] != '&') continue;
      const absl::string_view entity = text.substr(i, text.find(';', i) - i);
      const std::set<absl::string_view> known = {"&amp", "&lt", "&gt", "&quot", "&apos", "&#39", "&#160"};
      if (known.count(entity) == 0) Fail(absl::StrCat("unknown entity ", entity.substr(0, 10)));
    }
  }

  std::string Name() {
    size_t length = 0;
    while (length < rest_.size() && (absl::ascii_isalnum(static_cast<unsigned char>(rest_[length])) ||
                                     absl::StrContains("-_:.", rest_[length]))) {
      ++length;
    }
    if (length == 0 || !absl::ascii_isalpha(static_cast<unsigned char>(rest_[0]))) Fail("no name");
    const std::string name(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return name;
  }

  void Tag() {
    if (absl::ConsumePrefix(&rest_, "</")) {
      const std::string name = Name();
      if (open_.empty() || open_.back() != name) return Fail(absl::StrCat("closes ", name, ", which is not open"));
      open_.pop_back();
      if (!absl::ConsumePrefix(&rest_, ">")) Fail("closing tag does not end");
      return;
    }
    rest_.remove_prefix(1);
    const std::string name = Name();
    if (open_.empty()) ++roots_;
    std::set<std::string> attributes;
    while (fault_.empty()) {
      const absl::string_view stripped = absl::StripLeadingAsciiWhitespace(rest_);
      const bool has_space = stripped.size() < rest_.size();
      rest_ = stripped;
      if (absl::ConsumePrefix(&rest_, "/>")) return;
      if (absl::ConsumePrefix(&rest_, ">")) return open_.push_back(name);
      if (!has_space) return Fail("no space before an attribute");
      Attribute(&attributes);
    }
  }

  void Attribute(std::set<std::string>* attributes) {
    const std::string name = Name();
    if (!attributes->insert(name).second) Fail(absl::StrCat("attribute ", name, " is repeated"));
    if (!absl::ConsumePrefix(&rest_, "=\"")) return Fail("attribute without a quoted value");
    const size_t end = rest_.find('"');
    if (end == absl::string_view::npos) return Fail("value does not end");
    if (absl::StrContains(rest_.substr(0, end), '<')) Fail("< in a value");
    CheckCharacters(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
  }

  const absl::string_view xml_;
  absl::string_view rest_;
  std::vector<std::string> open_;
  int roots_ = 0;
  std::string fault_;
};

}  // namespace

std::string XmlFault(absl::string_view xml) { return XmlReader(xml).Fault(); }

std::vector<std::string> SvgsOf(absl::string_view html) {
  std::vector<std::string> svgs;
  for (size_t begin = html.find("<svg"); begin != absl::string_view::npos; begin = html.find("<svg", begin + 1)) {
    const size_t end = html.find("</svg>", begin);
    svgs.emplace_back(html.substr(begin, end == absl::string_view::npos ? end : end + 6 - begin));
  }
  return svgs;
}

int CountOf(absl::string_view text, absl::string_view part) {
  int count = 0;
  for (size_t at = text.find(part); at != absl::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace candor
