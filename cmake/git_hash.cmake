# Run at build time: writes OUTPUT, which says from which commit of SOURCE the library is built, if that changed.
# A "+" says that files differ from the commit; "unknown" that there is no repository.
execute_process(COMMAND git -C ${SOURCE} describe --always --abbrev=12 --exclude=* --dirty=+
    OUTPUT_VARIABLE hash OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed OR NOT hash)
    set(hash unknown)
endif()
set(text "#include <sonolux/sdk/pipelines/training_log.hpp>\n\nnamespace sonolux {\n\nstd::string git_hash() { return \"${hash}\"; }\n\n}  // namespace sonolux\n")
set(old)
if(EXISTS ${OUTPUT})
    file(READ ${OUTPUT} old)
endif()
if(NOT old STREQUAL text)
    file(WRITE ${OUTPUT} "${text}")
endif()
