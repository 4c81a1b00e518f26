// SPDX-License-Identifier: Apache-2.0
//
// What a teacher said about each step's crops, kept on disk for the next student. Students of one configuration see the
// same crops at the same step, whatever their method or learning rate, and asking ten members again is most of the cost
// of distilling.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "trainer/training/teacher_samples.h"

namespace candor {

// The folder below `root` for runs whose crops and teacher are the same: a digest of the teacher's, of the device's
// name and of the fields of `identity` (trainer/train_options.h) that decide the crops.
std::string TeacherCacheFolder(const std::string& root, const std::string& teacher_digest, const std::string& device,
                               const std::vector<std::pair<std::string, std::string>>& identity);

// Reads step S from FOLDER/step-S.safetensors (tensor "logits" [M, N, C, h, w] F16) or asks `teacher` and writes it,
// atomically: runs may share a folder. Gives the same values either way. A damaged file, or one of another batch, is
// made again with a warning. After a first failure to write (a full disk) it warns once and only reads. A run that ends
// early leaves what it has; nothing is ever deleted.
std::unique_ptr<TeacherSamples> MakeTeacherCache(std::string folder, std::unique_ptr<TeacherSamples> teacher);

}  // namespace candor
