# Installs the build tree into a folder of its own and builds a user's programs against it, then runs them.
#
#   cmake -D BUILD=build/release -D HOW=cmake|pkgconfig -D COMPILER=c++ -P consume.cmake
cmake_minimum_required(VERSION 3.25)
function(step)
    execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT status EQUAL 0)
        string(REPLACE ";" " " command "${ARGV}")
        message(FATAL_ERROR "${command}\nfailed (${status}):\n${output}")
    endif()
    set(output "${output}" PARENT_SCOPE)
endfunction()

set(work ${BUILD}/consumer/${HOW})
set(prefix ${work}/prefix)
file(REMOVE_RECURSE ${work})
file(MAKE_DIRECTORY ${work}/out)
step(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})

if(HOW STREQUAL "cmake")
    step(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/cmake -B ${work}/out -G Ninja
        -D CMAKE_PREFIX_PATH=${prefix} -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_C_COMPILER=${C_COMPILER}
        -D RUNTIME_ONLY=${RUNTIME_ONLY} -D CMAKE_CXX_FLAGS=${FLAGS} -D CMAKE_C_FLAGS=${FLAGS})
    step(${CMAKE_COMMAND} --build ${work}/out)
else()
    file(GLOB_RECURSE packages ${prefix}/*/sonolux_runtime.pc)
    get_filename_component(packages "${packages}" DIRECTORY)
    step(${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${packages} RUNTIME_ONLY=${RUNTIME_ONLY} CXX=${COMPILER} CC=${C_COMPILER} "FLAGS=${FLAGS}"
        make --directory ${CMAKE_CURRENT_LIST_DIR}/pkgconfig OUT=${work}/out)
endif()

file(GLOB_RECURSE libraries ${prefix}/libsonolux_runtime.so)
get_filename_component(folder "${libraries}" DIRECTORY)
file(GLOB programs ${work}/out/program_*)
if(NOT programs)
    message(FATAL_ERROR "no program was built in ${work}/out")
endif()
foreach(program ${programs})
    step(${CMAKE_COMMAND} -E env LD_LIBRARY_PATH=${folder} ${program})
    message(STATUS "${program}: ${output}")
endforeach()
