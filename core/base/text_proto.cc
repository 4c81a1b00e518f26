// SPDX-License-Identifier: Apache-2.0
//
// Text protos by protobuf's own parser, with its first complaint as the error.
#include "core/base/text_proto.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"

namespace candor {
namespace {

constexpr int64_t kMaxBytes = 1 << 20;

// protobuf quotes the text as it is.
std::string WithoutControls(const std::string& reason) {
  std::string line;
  for (const char c : reason) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      absl::StrAppend(&line, "\\x", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    } else {
      line.push_back(c);
    }
  }
  return line;
}

// Later errors are mostly consequences of the first.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  explicit FirstError(const std::string& path) : path_(path) {}

  // Line and column count from 0; a line of -1 is an error about the whole message.
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& reason) override {
    if (!text_.empty()) return;
    text_ = absl::StrCat(path_, line < 0 ? "" : absl::StrCat(":", line + 1, ":", column + 1), ": ",
                         WithoutControls(reason));
  }
  const std::string& text() const { return text_; }

 private:
  const std::string path_;
  std::string text_;
};

}  // namespace

absl::Status ReadTextProto(const std::string& path, google::protobuf::Message* message) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxBytes));
  FirstError error(path);
  google::protobuf::TextFormat::Parser parser;  // as made: unknown and repeated singular fields are errors
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(text, message)) {
    return absl::InvalidArgumentError(error.text().empty() ? absl::StrCat(path, ": not a text proto") : error.text());
  }
  return absl::OkStatus();
}

absl::Status MergeTextProto(const std::string& text, google::protobuf::Message* message) {
  const std::string place = absl::StrCat("'", absl::CHexEscape(text), "'");
  FirstError error(place);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.MergeFromString(text, message)) {
    return absl::InvalidArgumentError(error.text().empty() ? absl::StrCat(place, ": not a text proto") : error.text());
  }
  return absl::OkStatus();
}

}  // namespace candor
