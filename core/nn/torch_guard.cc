// SPDX-License-Identifier: Apache-2.0
#include "core/nn/torch_guard.h"

#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace candor {
namespace {

std::string FirstLine(const std::string& text) {
  return std::string(*absl::StrSplit(text, absl::MaxSplits('\n', 1)).begin());
}

}  // namespace

absl::Status StatusFromCurrentException() {
  try {
    throw;
  } catch (const c10::OutOfMemoryError& error) {
    return absl::ResourceExhaustedError(FirstLine(error.what_without_backtrace()));
  } catch (const c10::AcceleratorError& error) {
    return absl::AbortedError(FirstLine(error.what_without_backtrace()));
  } catch (const c10::Error& error) {
    const std::string message = FirstLine(error.what_without_backtrace());
    // The CPU allocator throws a plain c10::Error.
    if (absl::StrContains(message, "can't allocate memory")) return absl::ResourceExhaustedError(message);
    return absl::InternalError(message);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("out of memory");
  } catch (const std::exception& error) {
    return absl::InternalError(FirstLine(error.what()));
  } catch (...) {
    return absl::InternalError("unknown exception");
  }
}

}  // namespace candor
