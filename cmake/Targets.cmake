# SPDX-License-Identifier: Apache-2.0

# candor_library(name SOURCES a.cc ... [PUBLIC libs...] [PRIVATE libs...] [TORCH]): static library candor_<name> with
# the alias candor::<name>. TORCH adds LibTorch and its shared precompiled header.
function(candor_library name)
  cmake_parse_arguments(ARG "TORCH" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(candor_${name} STATIC ${ARG_SOURCES})
  add_library(candor::${name} ALIAS candor_${name})
  # Our warnings and folders are no concern of those who use an installed library.
  target_link_libraries(candor_${name} PUBLIC ${ARG_PUBLIC} PRIVATE $<BUILD_INTERFACE:candor::options> ${ARG_PRIVATE})
  if(ARG_TORCH)
    candor_use_torch(candor_${name})
  endif()
endfunction()

# candor_program(name SOURCES a.cc ... LIBS libs...): an executable in build/bin.
function(candor_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE candor::options ${ARG_LIBS})
endfunction()

# candor_test(name SOURCES a_test.cc ... LIBS libs... [TORCH] [LABELS l...]): a GoogleTest program, run as one CTest test.
# TORCH also adds the label torch.
function(candor_test name)
  cmake_parse_arguments(ARG "TORCH" "" "SOURCES;LIBS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE candor::options ${ARG_LIBS} GTest::gmock GTest::gtest_main)
  if(ARG_TORCH)
    candor_use_torch(${name})
    list(APPEND ARG_LABELS torch)
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_compile_definitions(${name} PRIVATE CANDOR_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}")
endfunction()

# One precompiled header for all Torch files (12 s a file without it). All users compile with the same flags.
function(candor_use_torch target)
  target_link_libraries(${target} PRIVATE candor::torch)
  if(NOT TARGET candor_torch_pch)
    file(WRITE ${CMAKE_BINARY_DIR}/torch_pch.cc "// Carries the precompiled Torch header.\n")
    add_library(candor_torch_pch OBJECT ${CMAKE_BINARY_DIR}/torch_pch.cc)
    target_link_libraries(candor_torch_pch PRIVATE candor::options candor::torch)
    target_precompile_headers(candor_torch_pch PRIVATE <torch/torch.h>)
  endif()
  # Executables default to -fPIE, which would not fit the header.
  target_compile_options(${target} PRIVATE -fPIC)
  target_precompile_headers(${target} REUSE_FROM candor_torch_pch)
endfunction()
