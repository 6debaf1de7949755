/* A device's program over the firmware library, in C99: the version fits the header, bad bytes are refused. */
#include <sonolux/sdk/runtime/sonolux.h>
#include <stdio.h>

int main(void) {
    slx_error error;
    slx_model* model = NULL;
    slx_status status = slx_model_create_from_memory("no model", 8, &model, &error);
    printf("sonolux %u: %s: %s\n", (unsigned)slx_version(), slx_status_text(status), error.text);
    return !(slx_version() == SLX_VERSION_NUMBER && status == SLX_CORRUPT_DATA && model == NULL);
}
