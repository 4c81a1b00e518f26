# SPDX-License-Identifier: Apache-2.0
#
# cmake -DSOURCE_DIR=<checkout> -DDIR=<scratch> -P count_tests_test.cmake: tools/count_tests.sh counts hand-written results.
file(REMOVE_RECURSE ${DIR})
file(WRITE ${DIR}/ctest.xml [[
<testsuite name="x" tests="5" failures="2">
	<testcase name="cases" classname="cases" time="0.1" status="fail"><system-out>  &lt;testcase name=</system-out></testcase>
	<testcase name="crashed" classname="crashed" time="0.1" status="fail">
	<testcase name="leaked" classname="leaked" time="0.1" status="fail">
	<testcase name="script" classname="script" time="0.1" status="run">
	<testcase name="no_device" classname="no_device" time="0" status="notrun">
</testsuite>
]])
# Three pass, one fails twice, one is skipped, one is disabled.
file(WRITE ${DIR}/gtest/cases.xml [=[
<testsuites tests="6" failures="1" disabled="1">
    <testcase name="A" status="run" result="completed" time="0" classname="S" />
    <testcase name="B" status="run" result="completed" time="0" classname="S">
      <failure message="one" type=""><![CDATA[one
    <testcase name="quoted" />
]]></failure>
      <failure message="two" type=""></failure>
    </testcase>
    <testcase name="C" status="run" result="skipped" time="0" classname="S">
      <skipped message="no device"></skipped>
    </testcase>
    <testcase name="D" status="run" result="completed" time="0" classname="S" />
    <testcase name="E" status="notrun" result="suppressed" time="0" classname="S" />
    <testcase name="F" status="run" result="completed" time="0" classname="S" />
</testsuites>
]=])
# Its one case passed, and the leak checker ended it.
file(WRITE ${DIR}/gtest/leaked.xml [[
    <testcase name="A" status="run" result="completed" time="0" classname="S" />
]])

execute_process(COMMAND ${SOURCE_DIR}/tools/count_tests.sh ${DIR} OUTPUT_VARIABLE output RESULT_VARIABLE result)
# Passed: three cases, the leaked one and the script. Failed: one case, the crash and the leak.
if(NOT result EQUAL 0 OR NOT output STREQUAL "5 passed, 3 failed, 2 skipped\n")
  message(FATAL_ERROR "expected '5 passed, 3 failed, 2 skipped', got (exit ${result}): ${output}")
endif()
