/* Crops of image files, for scripts/parity-loader and scripts/bench-loader.
 *
 * usage: crop HEIGHT WIDTH <LIST >PIXELS
 *        crop --time SECONDS THREADS HEIGHT WIDTH <LIST
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

#include "base/fs.h"
#include "datasets/image.h"

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

static int write_all(const struct job *jobs, int n, int height, int width)
{
    struct us_image_decoder *decoder = NULL;
    size_t size = (size_t)height * (size_t)width * 3;
    uint8_t *pixels = malloc(size);
    bool good = pixels && us_image_open(&decoder) == UNSEEN_OK;
    for (int i = 0; good && i < n; i++)
        good = crop_one(decoder, &jobs[i], height, width, pixels) && fwrite(pixels, size, 1, stdout) == 1;
    us_image_close(decoder);
    free(pixels);
    return good && fflush(stdout) == 0 ? 0 : 1;
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

static int time_all(const struct job *jobs, int n, int threads, double seconds, int height, int width)
{
    struct run runs[64];
    long done = 0;
    double start = now();
    if (n < 1 || threads < 1 || threads > 64)
        return 2;
    for (int t = 0; t < threads; t++) {
        runs[t] = (struct run){jobs, n, height, width, t % n, threads, seconds, 0, 0};
        if (pthread_create(&runs[t].thread, NULL, work, &runs[t]) != 0)
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
    if (argc != 3 && !timed) {
        fprintf(stderr, "usage: crop [--time SECONDS THREADS] HEIGHT WIDTH <LIST\n");
        return 2;
    }
    int height = atoi(argv[argc - 2]), width = atoi(argv[argc - 1]);
    int n = height > 0 && width > 0 ? read_jobs(&jobs) : -1;
    if (n < 0)
        return 1;
    int rc = timed ? time_all(jobs, n, atoi(argv[3]), atof(argv[2]), height, width)
                   : write_all(jobs, n, height, width);
    for (int i = 0; i < n; i++)
        free(jobs[i].bytes);
    free(jobs);
    return rc;
}
