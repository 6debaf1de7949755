# ctest reads this after the list of tests: it gives each test its labels, from the sources as they are now.
#
#   folder    core, priors, ...: the folder of the file that holds the suite
#   oracle    the suite is called SomethingOracle: compares with networks or figures that others published
#   gpu       the suite is called SomethingGpu: needs a CUDA device and skips, saying so, where there is none
#   slow      the suite is called SomethingSlow: minutes, run by `./check --slow`
file(GLOB_RECURSE sources RELATIVE ${CMAKE_CURRENT_LIST_DIR} ${CMAKE_CURRENT_LIST_DIR}/*_test.cpp)
foreach(source ${sources})
    string(REGEX MATCH "^[^/]+" folder ${source})
    file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/${source} lines REGEX "^(TYPED_)?TEST(_F|_P)?\\(")
    foreach(line IN LISTS lines)
        string(REGEX MATCH "\\( *([A-Za-z0-9_]+)" matched "${line}")
        set(folder_of_${CMAKE_MATCH_1} ${folder})
    endforeach()
endforeach()

foreach(test IN LISTS sonolux_tests_TESTS)
    # Suite.Test, Instance/Suite.Test/parameter or Suite/type.Test
    string(REGEX REPLACE "\\..*$" "" suite "${test}")
    set(labels)
    string(REPLACE "/" ";" parts "${suite}")
    foreach(part IN LISTS parts)
        if(DEFINED folder_of_${part})
            set(labels ${folder_of_${part}})
            if(part MATCHES "Oracle$")
                list(APPEND labels oracle)
            elseif(part MATCHES "Gpu$")
                list(APPEND labels gpu)
                set_tests_properties("${test}" PROPERTIES RESOURCE_LOCK gpu)
            elseif(part MATCHES "Slow$")
                list(APPEND labels slow)
                set_tests_properties("${test}" PROPERTIES TIMEOUT 7200)
            endif()
        endif()
    endforeach()
    set_tests_properties("${test}" PROPERTIES LABELS "${labels}")
endforeach()
