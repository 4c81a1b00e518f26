// SPDX-License-Identifier: Apache-2.0
//
// The only two macros of the project. Abseil has its own from 20260526 on; Debian 12's is older.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns the status from the enclosing function unless it is OK.
#define RETURN_IF_ERROR(expression)                                         \
  do {                                                                      \
    if (absl::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)

#define CANDOR_CONCAT_INNER(a, b) a##b
#define CANDOR_CONCAT(a, b) CANDOR_CONCAT_INNER(a, b)

// ASSIGN_OR_RETURN(auto image, DecodeImage(bytes, limits)): the value, or the status returned from the enclosing
// function.
#define ASSIGN_OR_RETURN(declaration, expression) \
  CANDOR_ASSIGN_OR_RETURN_INNER(CANDOR_CONCAT(statusor_, __LINE__), declaration, expression)
#define CANDOR_ASSIGN_OR_RETURN_INNER(statusor, declaration, expression) \
  auto statusor = (expression);                                          \
  if (!statusor.ok()) return std::move(statusor).status();               \
  declaration = *std::move(statusor)
