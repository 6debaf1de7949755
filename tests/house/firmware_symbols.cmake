# What the firmware library shows and what it needs, read from the linked file.
#
#   cmake -D LIBRARY=libsonolux_runtime.so -D NM=nm -D READELF=readelf [-D HEADER=sonolux.h] -P firmware_symbols.cmake
cmake_minimum_required(VERSION 3.25)
function(read output)
    execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
    string(REPLACE ";" "," text "${text}")
    string(REGEX REPLACE "\n+" ";" lines "${text}")
    set(${output} "${lines}" PARENT_SCOPE)
endfunction()

set(wrong)

# It shows slx_ names, every one that the header declares, and nothing else.
read(defined ${NM} -D --defined-only ${LIBRARY})
set(shown)
foreach(line IN LISTS defined)
    if(line MATCHES " [A-Za-z] (slx_[a-z0-9_]+)(@|$)")
        list(APPEND shown ${CMAKE_MATCH_1})
    elseif(line AND NOT line MATCHES " A SONOLUX_[0-9.]+")
        list(APPEND wrong "shows ${line}, which does not start with slx_")
    endif()
endforeach()
if(HEADER)
    file(READ ${HEADER} text)
    string(REGEX MATCHALL "(^|[ \n*])slx_[a-z0-9_]+\\(" declared "${text}")
    foreach(name IN LISTS declared)
        string(REGEX MATCH "slx_[a-z0-9_]+" name "${name}")
        if(NOT name IN_LIST shown)
            list(APPEND wrong "does not show ${name}, which ${HEADER} declares")
        endif()
    endforeach()
endif()

# It needs no FFTW, HDF5, streams, locales, formatting library or threads of its own.
read(undefined ${NM} -D -C --undefined-only ${LIBRARY})
set(unwanted "fftw|H5[A-Z][A-Za-z]*|std::[a-z_:0-9]*(stream|filebuf|streambuf|ios)[a-z_]*|std::(cout|cerr|clog|cin|ios|locale)")
string(APPEND unwanted "|std::filesystem|std::thread|fmt::")
foreach(line IN LISTS undefined)
    if(line MATCHES "(^|[^A-Za-z_])(${unwanted})")
        string(STRIP "${line}" line)
        list(APPEND wrong "refers to ${line}")
    endif()
endforeach()

# It loads no other library than these.
read(dynamic ${READELF} -d ${LIBRARY})
foreach(line IN LISTS dynamic)
    if(line MATCHES "NEEDED.*\\[(.*)\\]" AND NOT CMAKE_MATCH_1 MATCHES
       "^(lib(stdc\\+\\+|m|gcc_s|c|gomp|omp|kissfft-float|asan|ubsan|tsan)|ld-linux[a-z0-9-]*)\\.so")
        list(APPEND wrong "loads ${CMAKE_MATCH_1}")
    endif()
endforeach()

foreach(line IN LISTS wrong)
    message("${LIBRARY} ${line}")
endforeach()
if(wrong)
    message(FATAL_ERROR "the firmware library is not what firmware can link")
endif()
list(LENGTH shown count)
message(STATUS "${LIBRARY} shows ${count} functions and needs nothing that firmware lacks")
