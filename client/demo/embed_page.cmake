# SPDX-License-Identifier: Apache-2.0
#
# cmake -D DIR=<client/demo> -D OUT=<file.cc> -P embed_page.cmake: writes the page's parts as string constants.
cmake_minimum_required(VERSION 3.25)

set(code "// Made by embed_page.cmake.\n#include \"client/demo/page_template.h\"\n\nnamespace candor {\n\n")
function(embed constant)
  set(text "")
  foreach(name ${ARGN})
    file(READ "${DIR}/${name}" part)
    string(APPEND text "${part}")
  endforeach()
  string(APPEND code "const char ${constant}[] = R\"candor(${text})candor\";\n\n")
  set(code "${code}" PARENT_SCOPE)
endfunction()
embed(kPageHtml page.html)
embed(kPageStyle page.css)
embed(kPageScript page_pixels.js page.js)
string(APPEND code "}  // namespace candor\n")
file(WRITE "${OUT}" "${code}")
