/* firmware_loop: frames in a loop, as in the firmware of a scanner or camera.
 *
 *     firmware_loop MODEL [FRAMES]
 *
 * All memory that the loop works in is taken once, before it; inside nothing is allocated. Each frame has a
 * budget of time: a frame that is not finished by then shows what its last stage made. Strict C99 over
 * sonolux.h alone. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <sonolux/sdk/runtime/sonolux.h>

enum { rows = 96, columns = 128, pixels = rows * columns };

static float truth[pixels], frame[pixels], clean[pixels];

/* A bright disc on its way across a dark background. */
static void draw_scene(int number) {
    const double row = rows / 2.0, column = (double)(20 + 8 * number % (columns - 40));
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < columns; ++c)
            truth[r * columns + c] = hypot(r - row, c - column) < 16 ? 0.75f : 0.25f;
}

/* Adds noise of the given standard deviation: the sum of twelve uniform numbers is close to normal. */
static void add_noise(double sigma) {
    static uint64_t state = 12345;
    for (int i = 0; i < pixels; ++i) {
        double sum = -6;
        for (int k = 0; k < 12; ++k) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            sum += (double)(state >> 11) / 9007199254740992.0;
        }
        frame[i] = truth[i] + (float)(sigma * sum);
    }
}

static double rms_error(const float* image) {
    double sum = 0;
    for (int i = 0; i < pixels; ++i) sum += (image[i] - truth[i]) * (image[i] - truth[i]);
    return sqrt(sum / pixels);
}

/* Ends the program with the library's own sentence if a call failed. */
static void check(slx_status status, const slx_error* error) {
    if (status == SLX_OK) return;
    fprintf(stderr, "firmware_loop: %s: %s\n", slx_status_text(status), error->text);
    exit(1);
}

int main(int argument_count, char** arguments) {
    if (argument_count < 2) {
        fprintf(stderr, "usage: firmware_loop MODEL [FRAMES]\n");
        return 2;
    }
    const int frames = argument_count > 2 ? atoi(arguments[2]) : 10;

    /* Set-up: the model, a plan for the size of the frames, and one block of memory. */
    slx_error error;
    slx_model* model = NULL;
    slx_model_info info = {0};
    info.size = sizeof info;
    check(slx_model_create_from_file(arguments[1], &model, &error), &error);
    check(slx_model_get_info(model, &info, &error), &error);

    slx_plan_options options = {0};
    options.size = sizeof options;
    options.rows = rows;
    options.columns = columns;
    options.sigma = info.sigma_max;
    options.threads = 1;
    slx_plan* plan = NULL;
    check(slx_plan_create(model, &options, &plan, &error), &error);
    printf("%s: %d stages, sigma %.1f; workspace %lu bytes\n", info.name, (int)info.stages,
           (double)info.sigma_max, (unsigned long)slx_plan_workspace_bytes(plan));
    slx_model_destroy(model); /* the plan has what it needs */

    const size_t bytes = slx_plan_workspace_bytes(plan);
    char* block = malloc(bytes + SLX_ALIGNMENT); /* on a device: a static array */
    if (block == NULL) return 1;
    char* memory = block + (SLX_ALIGNMENT - (uintptr_t)block % SLX_ALIGNMENT) % SLX_ALIGNMENT;
    check(slx_plan_bind(plan, memory, bytes, &error), &error);
    check(slx_plan_set_time_limit(plan, 10.0, &error), &error);

    /* The loop. */
    const slx_input in = {frame, rows, columns, columns};
    const slx_output out = {clean, rows, columns, columns};
    for (int number = 0; number < frames; ++number) {
        draw_scene(number);
        add_noise(info.sigma_max / 255.0);
        const slx_status status = slx_plan_run(plan, &in, &out, &error);
        if (status != SLX_DEADLINE_EXCEEDED) check(status, &error);
        printf("frame %3d: error %.4f, denoised %.4f%s\n", number, rms_error(frame), rms_error(clean),
               status == SLX_OK ? "" : " (out of time)");
    }

    slx_plan_destroy(plan);
    free(block);
    return 0;
}
