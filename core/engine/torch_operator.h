// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

namespace candor {

// An operator of LibTorch's that has no public function. Throws c10::Error if it is not there.
template <class Signature>
c10::TypedOperatorHandle<Signature> FindOperator(const char* name, const char* overload) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}

}  // namespace candor
