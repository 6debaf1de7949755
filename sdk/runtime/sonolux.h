/* sonolux/sdk/runtime/sonolux.h
 *
 * Sonolux runtime 0.2: runs trained image reconstruction networks. The C interface.
 *
 * A complete program (error handling left out, see samples/firmware_loop.c):
 *
 *     #include <sonolux/sdk/runtime/sonolux.h>
 *
 *     slx_error error;
 *     slx_model* model = NULL;
 *     slx_model_create_from_file("denoise_sigma25.safetensors", &model, &error);
 *
 *     slx_plan_options options = {0};            // zero means: the default, in every field
 *     options.size = sizeof options;
 *     options.rows = 480;
 *     options.columns = 640;
 *     slx_plan* plan = NULL;
 *     slx_plan_create(model, &options, &plan, &error);
 *     slx_model_destroy(model);                  // the plan keeps what it needs
 *
 *     // All memory that running takes: yours, in one piece ...
 *     size_t bytes = slx_plan_workspace_bytes(plan);
 *     slx_plan_bind(plan, my_aligned_memory, bytes, &error);
 *     // ... or ours: slx_plan_bind(plan, NULL, 0, &error);
 *
 *     while (next_frame(frame)) {                // float frame[480 * 640], values in [0, 1]
 *         slx_input in = {frame, 480, 640, 640};
 *         slx_output out = {clean, 480, 640, 640};
 *         slx_status status = slx_plan_run(plan, &in, &out, &error);  // allocates nothing
 *         if (status != SLX_OK) fprintf(stderr, "%s\n", error.text);
 *     }
 *     slx_plan_destroy(plan);
 *
 * Rules that hold for every function:
 *
 *   - Nothing throws, aborts, exits or prints. A function that can fail returns a slx_status.
 *   - `error` may be NULL. Otherwise it receives the status, and a sentence that names what was wrong, its
 *     value and what was expected: "rows must be from 1 to 16777216, got 0". Nothing else keeps the text:
 *     there is no last error, neither of a thread nor of a handle.
 *   - Where a function fails, its outputs are as before, and created handles are NULL, unless it says
 *     otherwise.
 *   - Structures that may grow begin with `size`: set it to sizeof the structure. Fields that a caller does
 *     not know, because it was compiled against an older version, are taken as zero; fields that this library
 *     does not know must be zero.
 *   - A model is immutable and may be used by several threads at once. A plan serves one caller at a time,
 *     except for slx_plan_cancel, which may be called at any moment, by any thread or signal handler.
 *   - Fields that came with a later version say so: "since 0.2".
 *   - The same build gives the same bits, whatever the number of threads, the tiles and the runner.
 *   - Between versions 0.x functions may change; from 1.0 on only be added.
 */
#ifndef SONOLUX_H
#define SONOLUX_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SLX_API __attribute__((visibility("default")))
#else
#define SLX_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version and status -------------------------------------------------------------------------- */

#define SLX_VERSION_MAJOR 0
#define SLX_VERSION_MINOR 2
#define SLX_VERSION_PATCH 0

/* 10000 major + 100 minor + patch. */
#define SLX_VERSION_NUMBER (10000 * SLX_VERSION_MAJOR + 100 * SLX_VERSION_MINOR + SLX_VERSION_PATCH)

/* SLX_VERSION_NUMBER of the library that is running; the macro is that of the header that was compiled. */
SLX_API uint32_t slx_version(void);

/* Values never change their meaning, and new ones may come: treat an unknown one as a failure. */
typedef int32_t slx_status;
enum {
    SLX_OK = 0,
    SLX_INVALID_ARGUMENT = 1, /* a value outside what this header allows; a null pointer */
    SLX_SIZE_MISMATCH = 2,    /* sizes that do not belong together; a buffer that is too short */
    SLX_UNSUPPORTED = 3,      /* well formed, but not something this library or model can do */
    SLX_FILE_ERROR = 4,       /* a file could not be opened or read */
    SLX_CORRUPT_DATA = 5,     /* a file or buffer that is not what it claims to be */
    SLX_OUT_OF_MEMORY = 6,
    SLX_CANCELLED = 7,         /* the output is valid: what had been finished when the run was cancelled */
    SLX_DEADLINE_EXCEEDED = 8, /* the output is valid: what had been finished when time was up */
    SLX_DEVICE_ERROR = 9,
    SLX_INTERNAL_ERROR = 10 /* a fault of ours: please report it */
};

/* "invalid argument": a few lower-case words, for any value. Static: do not free. Never NULL. */
SLX_API const char* slx_status_text(slx_status status);

/* What went wrong. Yours; 512 bytes, now and in all later versions. On success: SLX_OK and "". */
typedef struct slx_error {
    slx_status status;
    char text[508]; /* UTF-8, ends in zero; cut short with "..." where it is longer */
} slx_error;

/* ---- Models -------------------------------------------------------------------------------------- */

/* A trained network. */
typedef struct slx_model slx_model;

/* Reads and checks a model file (.safetensors with Sonolux metadata). `path` in the encoding of the system.
 * SLX_FILE_ERROR, SLX_CORRUPT_DATA (including a wrong checksum, NaN parameters, and sizes that do not agree),
 * SLX_UNSUPPORTED (an architecture or schema of a later version), SLX_OUT_OF_MEMORY. */
SLX_API slx_status slx_model_create_from_file(const char* path, slx_model** model, slx_error* error);

/* The same from the bytes of such a file, which are not needed afterwards. Needs no file system. */
SLX_API slx_status slx_model_create_from_memory(const void* bytes, size_t byte_count, slx_model** model,
                                                slx_error* error);

/* NULL is allowed. */
SLX_API void slx_model_destroy(slx_model* model);

/* Set `size` before the call. Texts belong to the model. */
typedef struct slx_model_info {
    size_t size;
    const char* name;    /* "denoise_sigma25" */
    const char* problem; /* what it solves: "denoise", "deblur", "sound_speed" or "lens" */
    const char* licence; /* of its parameters, and of what they were learned from */
    float sigma_min;     /* the noise levels that it was trained for: standard deviations in units of */
    float sigma_max;     /* 1/255 of the image range; equal where it knows one level only */
    int32_t channels;    /* that it looks at together: 1, each plane is reconstructed by itself; 3, colour */
    int32_t stages;      /* unrolled steps; cancelling and time limits act between them */
    size_t parameter_count; /* float32 numbers */

    /* Since 0.2. Whether plans need a kernel ("deblur"), or refuse one; and the largest for which it was
     * trained: larger ones work too, less well. 0 x 0: not known, or needs none. */
    int32_t needs_kernel;
    size_t kernel_rows;
    size_t kernel_columns;

    /* Since 0.2. Of models that solve "sound_speed": the hash of the geometry whose delays they read, which
     * belongs to the model; how many measurements there are at each pixel; rows and columns of the map. NULL
     * and 0 for others. */
    const char* geometry;
    size_t measurements;
    size_t rows;
    size_t columns;

    /* Since 0.2. Of models that solve "lens", which recover what a camera would have seen without the blur of
     * its lens: how many electrons white was in the captures that they were trained for. 0 for others. */
    double electrons_min;
    double electrons_max;
} slx_model_info;

SLX_API slx_status slx_model_get_info(const slx_model* model, slx_model_info* info, slx_error* error);

/* ---- Plans --------------------------------------------------------------------------------------- */

/* A model made ready for images of one size. plan -> bind -> run. */
typedef struct slx_plan slx_plan;

/* One piece of work, given to a thread runner: to be called once for each item. */
typedef void (*slx_task)(void* task_data, ptrdiff_t item, int32_t thread);

/* The host's threads, used instead of ours.
 *
 * `run` calls task(task_data, item, thread) once for each item in [0, items), in any order, on any threads,
 * with 0 <= thread < threads and no two calls with the same `thread` at a time; it returns when all have
 * returned. It must not throw. It is called only inside slx_plan_bind and slx_plan_run. */
typedef struct slx_thread_runner {
    void* host; /* first argument of `run` */
    int32_t threads;
    void (*run)(void* host, ptrdiff_t items, slx_task task, void* task_data);
} slx_thread_runner;

/* Told how far a run has come: after each stage of each tile, on the thread that called slx_plan_run.
 * Return 0 to go on, anything else to cancel the run. Must not call functions on the plan other than
 * slx_plan_cancel. */
typedef int32_t (*slx_progress)(void* host, ptrdiff_t done, ptrdiff_t total);

/* Zero means the default in every field but the first three. */
typedef struct slx_plan_options {
    size_t size;
    size_t rows;    /* of the images: 1 to 16777216 */
    size_t columns; /* likewise */

    /* Noise level of the images, in units of 1/255 of their range, from sigma_min to sigma_max of the model.
     * 0: the model's, where sigma_min and sigma_max are equal; other models need to be told. */
    float sigma;

    /* How many threads of ours to use, at most 1024; 0: as many as there are processors. Not looked at if
     * `runner` is given. */
    int32_t threads;
    const slx_thread_runner* runner; /* copied; NULL: our threads */

    /* Large images are reconstructed in overlapping tiles, which bounds the workspace; the result is the same
     * to the bit. 0 x 0: the largest tiles whose workspace is within memory_limit. Otherwise the size of the
     * tiles without their overlap; if one of the two is 0, the library chooses it.
     *
     * Models that deblur, models for a lens, and others with Fourier steps are not cut, because each pixel
     * sees the whole image: tile sizes are not looked at, and a memory_limit below what the image takes is
     * SLX_UNSUPPORTED.
     */
    size_t tile_rows;
    size_t tile_columns;
    size_t memory_limit; /* bytes, of workspace_bytes and plan_bytes below; 0: 64 MiB, or where nothing can be
                          * cut what it takes. Not looked at if both tile sizes are given. */

    slx_progress progress; /* or NULL */
    void* progress_host;   /* first argument of `progress` */

    /* Since 0.2. The blur to take away, for models that need a kernel: kernel_rows x kernel_columns taps, row
     * after row, at most as many as the image has pixels in each direction. The image is the scene convolved
     * with it (not correlated: then it would be turned by 180 degrees), its centre being the tap
     * [kernel_rows / 2][kernel_columns / 2]. Taps are finite and not negative and sum to 1. Copied. */
    const float* kernel;
    size_t kernel_rows;
    size_t kernel_columns;

    /* Since 0.2. NULL or "cpu": the processor. "cuda" or "cuda:N": that CUDA device, counted from 0, through
     * libsonolux_cuda.so beside this library. A device that is not there is SLX_UNSUPPORTED, and so is a
     * model that has no CUDA form; never is another device taken instead. The image is not cut there: tile
     * sizes other than its own are SLX_UNSUPPORTED, memory_limit is not looked at, and all stages are one
     * piece of work that is not stopped once it has begun. */
    const char* device;

    /* Since 0.2. For models that solve "lens", and for no others; these take neither sigma nor kernel.
     *
     * electrons: how many white is in the most sensitive channel of the camera, from 1 to 1e12; 0: in the
     * middle (geometric) of what the model was trained for. With the brightness of a capture they say how
     * strong its noise is; far outside electrons_min to electrons_max of the model it serves less well.
     *
     * lens_kernels: NULL, or in place of the model's own kernels those of your lens: as measured, or for
     * another place in its field. Channels x lens_kernel_size x lens_kernel_size finite taps, row after row,
     * the size being odd and the centre in the middle: images of a point of light, relative to the light that
     * a sensor without lens would see. Copied. A lens of another kind wants a model of its own.
     *
     * Captures have 8 rows and columns at least. What lies beyond their border, as far as kernels reach, is
     * guessed. */
    double electrons;
    const float* lens_kernels;
    size_t lens_kernel_size;
} slx_plan_options;

/* The model may be destroyed afterwards. SLX_INVALID_ARGUMENT, SLX_SIZE_MISMATCH, SLX_UNSUPPORTED,
 * SLX_CORRUPT_DATA, SLX_OUT_OF_MEMORY, SLX_DEVICE_ERROR. */
SLX_API slx_status slx_plan_create(const slx_model* model, const slx_plan_options* options, slx_plan** plan,
                                   slx_error* error);

/* NULL is allowed. Memory of yours that was bound is yours again. */
SLX_API void slx_plan_destroy(slx_plan* plan);

/* What was planned. Set `size` before the call. */
typedef struct slx_plan_info {
    size_t size;
    size_t rows;
    size_t columns;
    size_t tile_rows; /* of the tiles without their overlap; those of the image if there is one tile */
    size_t tile_columns;
    size_t tiles; /* how many */
    size_t workspace_bytes;
    float sigma;
    int32_t threads;
    char isa[16]; /* the instruction set of the kernels: "avx2" */

    /* Since 0.2. Memory that the plan itself holds in proportion to the image, besides the workspace, from
     * slx_plan_create to slx_plan_destroy: for Fourier steps; otherwise 0. And the largest kernel that
     * slx_plan_set_kernel takes, which is at least the one in slx_plan_options; 0 x 0: needs none. */
    size_t plan_bytes;
    size_t kernel_rows;
    size_t kernel_columns;
    int32_t channels; /* since 0.2: those of the model, which each run takes together */
    char device[92];  /* since 0.2: "cpu", or "NVIDIA H200 (compute 9.0)" */
    double electrons; /* since 0.2: at white, of models that solve "lens"; otherwise 0 */
} slx_plan_info;

SLX_API slx_status slx_plan_get_info(const slx_plan* plan, slx_plan_info* info, slx_error* error);

/* How much memory slx_plan_bind needs, a multiple of SLX_ALIGNMENT; 0 for NULL. */
SLX_API size_t slx_plan_workspace_bytes(const slx_plan* plan);

/* Workspace memory starts at a multiple of this address. */
#define SLX_ALIGNMENT 64

/* Gives the plan its workspace: `memory` of yours, at least slx_plan_workspace_bytes long, aligned to
 * SLX_ALIGNMENT, left alone until the plan is destroyed or bound again; or NULL and 0 for memory of ours.
 * Starts our threads, if the plan uses them: bind and run on the same thread, since OpenMP keeps threads for
 * each thread that starts some. SLX_SIZE_MISMATCH (too short), SLX_INVALID_ARGUMENT (not aligned),
 * SLX_OUT_OF_MEMORY. */
SLX_API slx_status slx_plan_bind(slx_plan* plan, void* memory, size_t byte_count, slx_error* error);

/* Another noise level for the following runs, under the same conditions as in slx_plan_options. Allocates
 * nothing. Not while the plan runs. SLX_UNSUPPORTED for plans without one: of "sound_speed" and "lens". */
SLX_API slx_status slx_plan_set_sigma(slx_plan* plan, float sigma, slx_error* error);

/* Since 0.2. Another kernel for the following runs, under the same conditions as in slx_plan_options, and not
 * larger than the plan's info says. Allocates nothing. Where it fails, the kernel is as before. Not while the
 * plan runs. */
SLX_API slx_status slx_plan_set_kernel(slx_plan* plan, const float* kernel, size_t kernel_rows,
                                       size_t kernel_columns, slx_error* error);

/* Each following run stops between two stages once it has taken this many seconds, and returns
 * SLX_DEADLINE_EXCEEDED. 0 or infinity: no limit. Not while the plan runs. */
SLX_API slx_status slx_plan_set_time_limit(slx_plan* plan, double seconds, slx_error* error);

/* ---- Running ------------------------------------------------------------------------------------- */

/* A plane of float32 values in [0, 1]. Row r starts at data + r * row_stride, and row_stride >= columns.
 * Rows and columns must be the plan's: they are here so that a mistake is an error and not a crash. */
typedef struct slx_input {
    const float* data;
    size_t rows;
    size_t columns;
    size_t row_stride; /* in values, not bytes */
} slx_input;

typedef struct slx_output {
    float* data;
    size_t rows;
    size_t columns;
    size_t row_stride;
} slx_output;

/* Reconstructs one plane, by a model that looks at one channel: its colour images are three planes and three
 * runs. Allocates nothing, locks nothing.
 *
 * `out` may be `in` (same data, same row_stride) if the plan has one tile; otherwise they must not overlap.
 * Values beyond [0, 1] are allowed, and results may lie slightly beyond: nothing is clipped. A NaN or
 * infinite pixel spoils pixels around it, at most stages * 2 * filter radius away, and changes no others;
 * where there are Fourier steps, it spoils the whole plane.
 *
 * SLX_OK; SLX_CANCELLED or SLX_DEADLINE_EXCEEDED: each tile holds what its last finished stage made, tiles
 * that had not been begun hold the input; SLX_INVALID_ARGUMENT (also: nothing bound yet), SLX_SIZE_MISMATCH
 * or SLX_DEVICE_ERROR: the output is as before. */
SLX_API slx_status slx_plan_run(slx_plan* plan, const slx_input* in, const slx_output* out, slx_error* error);

/* Since 0.2. The same for the channels of one image, by a model that looks at several together: in[0] to
 * in[channels - 1] are red, green and blue, wherever each of them lies, and likewise out[0] ...; no two of
 * `out` overlap. `channels` must be the model's; with 1, this is slx_plan_run. What spoils a channel spoils
 * the others too.
 *
 * By a model that solves "lens": captures in linear light, the channels of the camera balanced so that white
 * is 1 in each; to what the sensor would have seen without blur, not negative, not clipped at white. Captures
 * with a pixel that is not finite are SLX_INVALID_ARGUMENT: the output is as before. After SLX_CANCELLED or
 * SLX_DEADLINE_EXCEEDED it is that of the last finished stage, the linear estimate that the stages begin with
 * if none was finished, and the input if not even that had been begun. */
SLX_API slx_status slx_plan_run_planes(slx_plan* plan, const slx_input* in, const slx_output* out,
                                       size_t channels, slx_error* error);

/* Since 0.2. Delays between transmissions, measurements x rows x columns, without gaps, in seconds: the
 * model's geometry says which. NaN where nothing was measured. `mask`, of the same sizes, or NULL: 1 where a
 * delay counts, 0 where it does not. `geometry` is the hash that the model's info states: whoever measured
 * the delays knows for which geometry, and a mistake is an error and not a map of nothing. */
typedef struct slx_delays {
    const char* geometry;
    const float* delays;
    const float* mask;
    size_t measurements;
    size_t rows;
    size_t columns;
} slx_delays;

/* Rows x columns, without gaps: the speed of sound in m/s everywhere, and in `support`, unless it is NULL,
 * the fraction of measurements that counted at each pixel: maps are shown where it is above 0. */
typedef struct slx_speed_map {
    float* speed;
    float* support;
    size_t rows;
    size_t columns;
} slx_speed_map;

/* What a frame was; also of a refused one, as far as it came. */
typedef struct slx_frame_report {
    double uniform_speed; /* m/s: the uniform one that fits best */
    double deviation;     /* s: root mean square of the delays that it does not explain */
    double measured;      /* fraction of the delays that the model trusts which counted */
} slx_frame_report;

/* Since 0.2. Maps the speed of sound, by a model that solves "sound_speed". Allocates nothing, locks nothing.
 * `frame` may be NULL.
 *
 * SLX_OK; SLX_CANCELLED or SLX_DEADLINE_EXCEEDED: the map is that of the last finished stage;
 * SLX_SIZE_MISMATCH, or SLX_INVALID_ARGUMENT: another geometry, infinite delays, too few of them, or delays
 * that no plausible speed explains, as in another unit: the map is as before. */
SLX_API slx_status slx_plan_run_delays(slx_plan* plan, const slx_delays* in, const slx_speed_map* out,
                                       slx_frame_report* frame, slx_error* error);

/* Since 0.2. How far a map is to be trusted, from a model that was calibrated (`sonolux evaluate
 * --calibrate`); of others, deviation and score are NaN. `deviation`, rows x columns, in m/s: 90 % of errors
 * are within 1.645 of it. `residual`, measurements x rows x columns, in s: delays less those of the map, NaN
 * where none counted. Either may be NULL. The other fields are written. */
typedef struct slx_map_trust {
    float* deviation;
    float* residual;
    double unexplained; /* s: root mean square of the residual */
    double score;       /* 0 to 1; below 1/2: not as frames of this probe and of tissue are; 0 if refused */
} slx_map_trust;

/* Since 0.2. slx_plan_run_delays, and how far its map is to be trusted: `trust` may be NULL, and is written
 * as the frame is. Allocates nothing. */
SLX_API slx_status slx_plan_run_delays_with_trust(slx_plan* plan, const slx_delays* in,
                                                  const slx_speed_map* out, slx_map_trust* trust,
                                                  slx_frame_report* frame, slx_error* error);

/* The run in progress stops between two stages, with SLX_CANCELLED; if there is none, the next one does so at
 * once. Runs after that are not affected. NULL is allowed. */
SLX_API void slx_plan_cancel(slx_plan* plan);

#ifdef __cplusplus
}
#endif

#endif /* SONOLUX_H */
