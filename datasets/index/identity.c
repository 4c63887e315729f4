/* What a dataset of files is called by, and how its pixels are scaled. */
#include "config.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "base/threads.h"
#include "datasets/index/file_reader.h"
#include "datasets/index/files.h"

/* Draw k of `most` samples from n: one from each of `most` equal parts. All where there are no more. */
static int64_t drawn(int64_t k, int64_t most, int64_t n)
{
    uint32_t word[4];
    if (n <= most)
        return k;
    us_philox(0, US_STREAM_DATA, 0, (uint64_t)k, word);
    return (int64_t)(((double)k + us_uniform(word[0])) * (double)n / (double)most);
}

static void hash_integers(struct sha256_ctx *hash, const int64_t *values, size_t n, size_t bytes)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t text[8];
        for (size_t b = 0; b < bytes; b++)
            text[b] = (uint8_t)((uint64_t)values[i] >> (8 * b));
        sha256_update(hash, bytes, text);
    }
}

static void hash_text(struct sha256_ctx *hash, const char *text)
{
    sha256_update(hash, strlen(text) + 1, (const uint8_t *)text);
}

static void hash_split(struct sha256_ctx *hash, const struct unseen_images *images,
                       const struct us_entry *entries)
{
    hash_integers(hash, &images->n, 1, 8);
    for (int64_t i = 0; i < images->n; i++) {
        const int64_t label = images->labels[i];
        hash_integers(hash, &label, 1, 4);
        hash_text(hash, images->paths[i] + images->class_at);
        hash_integers(hash, &entries[i].place.size, 1, 8);
    }
}

static enum unseen_status hash_contents(struct sha256_ctx *hash, const struct us_index *index)
{
    const int64_t n = index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST];
    struct us_bytes bytes = {0};
    enum unseen_status st = UNSEEN_OK;
    for (int64_t k = 0; k < n && k < US_HASHED; k++) {
        const int64_t i = drawn(k, US_HASHED, n);
        if (index->entries[i].bad)
            continue;
        US_TRY(us_store_read(index->store, us_index_name(index, i), &index->entries[i].place, &bytes));
        sha256_update(hash, bytes.size, bytes.data);
    }
out:
    us_bytes_free(&bytes);
    return st;
}

/* The same files are other data where they are turned, or where bad ones are read as grey or skipped. */
static void hash_options(struct unseen_dataset *dataset, const struct us_index *index)
{
    static const char *const bad[] = {
        [UNSEEN_BAD_ERROR] = "", [UNSEEN_BAD_GREY] = "on-bad grey", [UNSEEN_BAD_SKIP] = "on-bad skip"};
    const enum unseen_on_bad on_bad = dataset->options.on_bad;
    const int64_t n = index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST];
    bool turned = false, lacks = false;
    for (int64_t i = 0; i < n; i++) {
        turned |= index->entries[i].orientation > 1;
        lacks |= us_files_lack(dataset, i);
    }
    turned &= dataset->options.exif == UNSEEN_EXIF_APPLY;
    lacks &= on_bad != UNSEEN_BAD_ERROR;
    if (!turned && !lacks)
        return;
    struct sha256_ctx hash;
    sha256_init(&hash);
    hash_text(&hash, dataset->hash);
    hash_text(&hash, turned ? "exif apply" : "");
    hash_text(&hash, lacks ? bad[on_bad] : "");
    for (int64_t i = 0; i < n && on_bad == UNSEEN_BAD_SKIP; i++) {
        if (us_files_lack(dataset, i))
            hash_integers(&hash, &i, 1, 8);
    }
    us_sha256_hex(&hash, dataset->hash);
}

enum unseen_status us_files_hash(struct unseen_dataset *dataset)
{
    struct us_index *index = us_files_index(dataset);
    struct us_facts *facts = &index->facts;
    struct sha256_ctx hash;
    enum unseen_status st = UNSEEN_OK;
    if (*facts->hash)
        goto out;
    sha256_init(&hash);
    for (int c = 0; c < dataset->classes; c++)
        hash_text(&hash, dataset->class_names[c]);
    hash_split(&hash, &dataset->split[UNSEEN_TRAIN], index->entries);
    hash_split(&hash, &dataset->split[UNSEEN_TEST], index->entries + index->n[UNSEEN_TRAIN]);
    US_TRY(hash_contents(&hash, index));
    us_sha256_hex(&hash, facts->hash);
out:
    memcpy(dataset->hash, facts->hash, sizeof dataset->hash);
    if (st == UNSEEN_OK)
        hash_options(dataset, index);
    return st;
}

/* Sums over the values of each channel: whole numbers, so that the order of threads does not matter. */
struct sums {
    atomic_ullong sum[3], squares[3];
};

struct measuring {
    const struct unseen_dataset *dataset;
    int height, width; /* that images are measured at */
    int64_t n;
    atomic_llong next;
    struct sums sums;
    atomic_bool failed;
    struct us_error error; /* of the thread that set `failed` */
};

static void add_image(struct sums *sums, const uint8_t *pixels, size_t n)
{
    for (size_t c = 0; c < 3; c++) {
        uint64_t sum = 0, squares = 0;
        for (size_t i = 0; i < n; i++) {
            const uint32_t value = pixels[3 * i + c];
            sum += value;
            squares += value * value;
        }
        atomic_fetch_add(&sums->sum[c], sum);
        atomic_fetch_add(&sums->squares[c], squares);
    }
}

static enum unseen_status measure_images(struct measuring *m, struct us_scratch *scratch, uint8_t *pixels)
{
    const struct unseen_dataset *data = m->dataset;
    const int64_t n = data->split[UNSEEN_TRAIN].n;
    enum unseen_status st = UNSEEN_OK;
    for (int64_t k; (k = atomic_fetch_add(&m->next, 1)) < m->n && !m->failed;) {
        US_TRY(us_dataset_go_on(data->location));
        US_TRY(data->reader->read(data, scratch, UNSEEN_TRAIN, drawn(k, US_MEASURED, n), NULL, m->height,
                                  m->width, pixels));
        add_image(&m->sums, pixels, (size_t)m->height * (size_t)m->width);
    }
out:
    return st;
}

static void measure_share(void *context, int thread)
{
    struct measuring *m = context;
    const struct unseen_dataset *data = m->dataset;
    struct us_scratch *scratch = NULL;
    enum unseen_status st = UNSEEN_OK;
    uint8_t *pixels = us_calloc((size_t)m->height * (size_t)m->width, 3);
    (void)thread;
    US_TRY_ALLOC(pixels);
    US_TRY(data->reader->scratch_new(data, &scratch));
    US_TRY(measure_images(m, scratch, pixels));
out:
    if (st != UNSEEN_OK && !atomic_exchange(&m->failed, true))
        us_error_take(st, &m->error);
    if (scratch)
        data->reader->scratch_free(scratch);
    free(pixels);
}

/* Divide the sides by the least whole number that makes an image small enough: each thread holds one. */
static void choose_size(struct measuring *m)
{
    const int height = m->dataset->height, width = m->dataset->width;
    int by = 1;
    while ((int64_t)(height / by) * (width / by) > US_MEASURED_PIXELS)
        by++;
    m->height = height / by;
    m->width = width / by;
}

static enum unseen_status measure(const struct unseen_dataset *dataset, struct us_facts *facts)
{
    const int64_t n = dataset->split[UNSEEN_TRAIN].n;
    struct measuring m = {.dataset = dataset, .n = n < US_MEASURED ? n : US_MEASURED};
    choose_size(&m);
    us_threads_run(us_threads(US_THREADS_MOST), measure_share, &m);
    if (m.failed)
        return us_error_again(&m.error);
    const double count = (double)m.n * m.height * m.width;
    for (int c = 0; c < 3; c++) {
        const double mean = (double)m.sums.sum[c] / count;
        const double variance = (double)m.sums.squares[c] / count - mean * mean;
        facts->mean[c] = (float)(mean / 255);
        facts->std[c] = (float)(sqrt(fmax(variance, 1)) / 255);
    }
    return UNSEEN_OK;
}

enum unseen_status us_files_measure(struct unseen_dataset *dataset)
{
    static const struct us_facts imagenet = {.mean = {0.485F, 0.456F, 0.406F},
                                             .std = {0.229F, 0.224F, 0.225F}};
    struct us_facts *facts = &us_files_index(dataset)->facts;
    const bool many_sizes = dataset->height == 0;
    enum unseen_status st = UNSEEN_OK;
    if (!facts->measured && !many_sizes) {
        US_TRY(measure(dataset, facts));
        facts->measured = 1;
    }
    memcpy(dataset->mean, many_sizes ? imagenet.mean : facts->mean, sizeof facts->mean);
    memcpy(dataset->std, many_sizes ? imagenet.std : facts->std, sizeof facts->std);
out:
    return st;
}
