# Configures and builds another preset inside the build tree, then tries what it built.
#
#   cmake -D SOURCE=. -D BUILD=build/release/nested -D PRESET=shared|firmware -D "OPTIONS=..." -P nested_build.cmake
cmake_minimum_required(VERSION 3.25)
set(build ${BUILD}/${PRESET})
cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
execute_process(COMMAND ${CMAKE_COMMAND} --preset ${PRESET} -B ${build} ${OPTIONS}
    WORKING_DIRECTORY ${SOURCE} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${build} --parallel ${cores} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_CTEST_COMMAND} --test-dir ${build} --output-on-failure --no-tests=error
    COMMAND_ERROR_IS_FATAL ANY)
