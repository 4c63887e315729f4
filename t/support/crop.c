/* Crops of image files, for scripts/parity-loader and scripts/bench-loader.
 *
 * usage: crop HEIGHT WIDTH <LIST >PIXELS
 *        crop --time SECONDS THREADS HEIGHT WIDTH <LIST
 *        crop --bare SECONDS THREADS SHRINK <LIST
 *
 * A line of LIST is "x y width height clipped file", the box in pixels of the image with fractions, "- file"
 * for all of it. PIXELS are [lines, HEIGHT, WIDTH, 3]. With --time the list is done over and over, and the
 * images a second are printed. */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jpeglib.h>

#include "base/fs.h"
#include "datasets/image/image.h"

struct job {
    struct us_crop crop;
    bool whole;
    char *bytes;
    size_t size;
    char path[4096];
};

struct run {
    const struct job *jobs;
    int n, height, width, first, step;
    int bare; /* by how much libjpeg alone makes them smaller; 0: crops */
    double seconds;
    long done; /* images; -1: one failed */
    pthread_t thread;
};

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

static bool read_job(char *line, struct job *job)
{
    int clipped = 0, used = 0;
    line[strcspn(line, "\n")] = '\0';
    job->whole = strncmp(line, "- ", 2) == 0;
    if (job->whole)
        used = 2;
    else if (sscanf(line, "%f %f %f %f %d %n", &job->crop.x, &job->crop.y, &job->crop.width,
                    &job->crop.height, &clipped, &used) < 5)
        return false;
    job->crop.clipped = clipped;
    snprintf(job->path, sizeof job->path, "%s", line + used);
    return us_read_file(job->path, &job->bytes, &job->size) == UNSEEN_OK;
}

static int read_jobs(struct job **jobs)
{
    char line[8192];
    int n = 0;
    while (fgets(line, sizeof line, stdin)) {
        struct job *grown = realloc(*jobs, (size_t)(n + 1) * sizeof **jobs);
        if (!grown)
            return -1;
        *jobs = grown;
        memset(grown + n, 0, sizeof *grown);
        if (!read_job(line, grown + n)) {
            fprintf(stderr, "crop: cannot read: %s\n", line);
            return -1;
        }
        n++;
    }
    return n;
}

static bool crop_one(struct us_image_decoder *decoder, const struct job *job, int height, int width,
                     uint8_t *pixels)
{
    if (us_image_crop(decoder, (const uint8_t *)job->bytes, job->size, job->whole ? NULL : &job->crop, height,
                      width, pixels))
        return true;
    fprintf(stderr, "crop: %s: %s\n", job->path, us_image_reason(decoder));
    return false;
}

static int write_all(const struct run *task)
{
    struct us_image_decoder *decoder = NULL;
    size_t size = (size_t)task->height * (size_t)task->width * 3;
    uint8_t *pixels = malloc(size);
    bool good = pixels && us_image_open(&decoder) == UNSEEN_OK;
    for (int i = 0; good && i < task->n; i++)
        good = crop_one(decoder, &task->jobs[i], task->height, task->width, pixels) &&
               fwrite(pixels, size, 1, stdout) == 1;
    us_image_close(decoder);
    free(pixels);
    return good && fflush(stdout) == 0 ? 0 : 1;
}

/* As programs decode that want all of it: several rows a call. */
static void decode_bare(struct jpeg_decompress_struct *jpeg, const struct job *job, int shrink,
                        uint8_t **pixels)
{
    JSAMPROW rows[16];
    jpeg_mem_src(jpeg, (const unsigned char *)job->bytes, job->size);
    jpeg_read_header(jpeg, TRUE);
    jpeg->scale_num = 1;
    jpeg->scale_denom = (unsigned)shrink;
    jpeg->out_color_space = JCS_RGB;
    jpeg_start_decompress(jpeg);
    size_t stride = (size_t)jpeg->output_width * 3;
    uint8_t *grown = us_realloc(*pixels, stride * (jpeg->output_height + 16), 1);
    if (!grown)
        abort();
    *pixels = grown;
    while (jpeg->output_scanline < jpeg->output_height) {
        for (int i = 0; i < 16; i++)
            rows[i] = grown + stride * (jpeg->output_scanline + (size_t)i);
        jpeg_read_scanlines(jpeg, rows, 16);
    }
    jpeg_finish_decompress(jpeg);
}

static void *work_bare(void *context)
{
    struct run *run = context;
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    uint8_t *pixels = NULL;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    double end = now() + run->seconds;
    for (int i = run->first; now() < end; i = (i + run->step) % run->n, run->done++)
        decode_bare(&jpeg, &run->jobs[i], run->bare, &pixels);
    jpeg_destroy_decompress(&jpeg);
    free(pixels);
    return NULL;
}

static void *work(void *context)
{
    struct run *run = context;
    struct us_image_decoder *decoder = NULL;
    uint8_t *pixels = malloc((size_t)run->height * (size_t)run->width * 3);
    bool good = pixels && us_image_open(&decoder) == UNSEEN_OK;
    double end = now() + run->seconds;
    for (int i = run->first; good && now() < end; i = (i + run->step) % run->n, run->done++)
        good = crop_one(decoder, &run->jobs[i], run->height, run->width, pixels);
    run->done = good ? run->done : -1;
    us_image_close(decoder);
    free(pixels);
    return NULL;
}

static int time_all(const struct run *task, int threads)
{
    struct run runs[64];
    long done = 0;
    double start = now();
    if (task->n < 1 || threads < 1 || threads > 64)
        return 2;
    for (int t = 0; t < threads; t++) {
        runs[t] = *task;
        runs[t].first = t % task->n;
        runs[t].step = threads;
        if (pthread_create(&runs[t].thread, NULL, task->bare ? work_bare : work, &runs[t]) != 0)
            return 1;
    }
    for (int t = 0; t < threads; t++) {
        pthread_join(runs[t].thread, NULL);
        if (runs[t].done < 0)
            return 1;
        done += runs[t].done;
    }
    printf("%.1f\n", (double)done / (now() - start));
    return 0;
}

int main(int argc, char **argv)
{
    struct job *jobs = NULL;
    bool timed = argc == 6 && strcmp(argv[1], "--time") == 0;
    bool bare = argc == 5 && strcmp(argv[1], "--bare") == 0;
    if (argc != 3 && !timed && !bare) {
        fprintf(stderr, "usage: crop [--time SECONDS THREADS] HEIGHT WIDTH <LIST\n"
                        "       crop --bare SECONDS THREADS SHRINK <LIST\n");
        return 2;
    }
    struct run task = {.height = atoi(argv[argc - 2]), .width = atoi(argv[argc - 1])};
    if (bare)
        task.bare = task.width;
    task.n = task.height > 0 && task.width > 0 ? read_jobs(&jobs) : -1;
    task.jobs = jobs;
    task.seconds = timed || bare ? atof(argv[2]) : 0;
    int rc = task.n < 0 ? 1 : timed || bare ? time_all(&task, atoi(argv[3])) : write_all(&task);
    for (int i = 0; i < task.n; i++)
        free(jobs[i].bytes);
    free(jobs);
    return rc;
}
