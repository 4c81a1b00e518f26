// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/run_progress.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "trainer/training/run_folder.h"

namespace candor {
namespace {

// The field's number, or `otherwise` if it is none.
template <typename T>
T Number(const nlohmann::json& event, const char* field, T otherwise) {
  const auto it = event.find(field);
  return it != event.end() && it->is_number() ? it->get<T>() : otherwise;
}

}  // namespace

double TrainingProgress::ShareDone() const {
  if (is_done) return 1;
  return steps > 0 ? std::clamp(static_cast<double>(step) / static_cast<double>(steps), 0.0, 1.0) : 0;
}

ProgressReader::ProgressReader(std::string name, const std::string& folder, std::string model)
    : log_(absl::StrCat(folder, "/events.jsonl")), model_(std::move(model)) {
  progress_.name = std::move(name);
}

const TrainingProgress& ProgressReader::Read() {
  std::error_code error;
  progress_.is_done = std::filesystem::exists(absl::StrCat(model_, "/model.json"), error);
  struct stat file {};
  if (stat(log_.c_str(), &file) != 0) return progress_;
  if (file.st_ino != log_inode_ || file.st_size < offset_) {
    log_inode_ = file.st_ino;
    offset_ = 0;
  }
  if (file.st_size == offset_) return progress_;
  std::ifstream log(log_);
  log.seekg(offset_);
  // A line without its end is read again once it is whole.
  for (std::string line; std::getline(log, line) && !log.eof();) {
    offset_ += static_cast<int64_t>(line.size()) + 1;
    Take(line);
  }
  return progress_;
}

void ProgressReader::Take(const std::string& line) {
  const auto event = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!event.is_object()) return;
  progress_.step = Number(event, "step", progress_.step);
  progress_.steps = Number(event, "steps", progress_.steps);
  progress_.loss = Number(event, "loss", progress_.loss);
  progress_.images_per_second = Number(event, "images_per_second", progress_.images_per_second);
  progress_.validation_miou = Number(event, "miou", progress_.validation_miou);
}

std::vector<ProgressReader> RunReaders(const std::string& run, int members, bool and_student) {
  std::vector<ProgressReader> readers;
  for (int i = 0; i < members; ++i) {
    readers.emplace_back(absl::StrCat("member ", i), MemberFolder(run, i), MemberModel(run, i));
  }
  if (and_student) readers.emplace_back("distillation", DistillationFolder(run), StudentModel(run));
  return readers;
}

}  // namespace candor
