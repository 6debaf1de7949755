# An installed Sonolux serves a user's programs, found by CMake and by pkg-config.
set(consumer_flags)
if(SONOLUX_SANITIZE)
    set(consumer_flags -fsanitize=${SONOLUX_SANITIZE})
endif()
foreach(how cmake pkgconfig)
    add_test(NAME Installed.serves_${how} COMMAND ${CMAKE_COMMAND} -D BUILD=${PROJECT_BINARY_DIR} -D HOW=${how}
        -D COMPILER=${CMAKE_CXX_COMPILER} -D C_COMPILER=${CMAKE_C_COMPILER} "-D FLAGS=${consumer_flags}"
        -D RUNTIME_ONLY=${SONOLUX_RUNTIME_ONLY} -P ${CMAKE_CURRENT_SOURCE_DIR}/consumer/consume.cmake)
    set_tests_properties(Installed.serves_${how} PROPERTIES LABELS install TIMEOUT 300)
endforeach()
