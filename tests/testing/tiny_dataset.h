// SPDX-License-Identifier: Apache-2.0
//
// A data set that a small network learns in seconds.
#pragma once

#include <string>

namespace candor {

// Writes a "folder:" data set at `folder`: pictures of 64x48 in the splits train, val and single (of one picture), each
// a green meadow with a red barn somewhere, both noisy, and a void frame of one pixel around the barn. The pictures
// follow from `seed`. Test failure if it cannot be written.
void WriteTinyDataset(const std::string& folder, int training = 8, int validation = 4, unsigned seed = 1);

// "NAME.png" of a split's picture.
std::string TinyPictureName(int index);

}  // namespace candor
