/* Making a pack: samples are encoded by several threads and written in their order, so that a file that ends
 * early is the beginning of the whole one, and the next run goes on behind its last good sample. */
#include "config.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory_stream.h"
#include "base/progress.h"
#include "base/sha256.h"
#include "base/threads.h"
#include "base/usable.h"
#include "datasets/export_check.h"
#include "datasets/format.h"
#include "datasets/pack/pack_encode.h"
#include "datasets/pack/pack_file.h"

enum { THREADS_MOST = 64, BATCH = 16 }; /* samples a thread between two writes */

struct sample {
    enum unseen_split split;
    int64_t index; /* in its split */
};

struct encoded {
    uint8_t *bytes;
    size_t size;
};

struct packing {
    struct us_pack_coding coding;
    struct sample *samples; /* [n] */
    int64_t n, n_train;
    char *settings;   /* JSON, padded */
    const char *path; /* of the unfinished file */
    FILE *file;
    uint64_t at;                     /* where the next byte goes */
    struct us_packed_sample *packed; /* [n]; the first `done` are set */
    int64_t done;
    int threads;
    struct us_pack_encoder encoders[THREADS_MOST];
    struct encoded *batch; /* [n_batch], of samples done, done + 1, .. */
    int64_t n_batch;
    atomic_llong next; /* the next of the batch */
    struct us_error errors[THREADS_MOST];
};

static enum unseen_status list_samples(struct packing *p, const int64_t *keep, int64_t n)
{
    const struct unseen_dataset *dataset = p->coding.dataset;
    const struct unseen_images *test = &dataset->split[UNSEEN_TEST];
    p->n_train = n;
    p->n = p->n_train + us_usable(test);
    p->samples = us_calloc((size_t)p->n, sizeof *p->samples);
    p->packed = us_calloc((size_t)p->n, sizeof *p->packed);
    if (!p->samples || !p->packed)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < p->n_train; i++)
        p->samples[i] = (struct sample){UNSEEN_TRAIN, keep ? keep[i] : i};
    for (int64_t i = 0, to = p->n_train; i < test->n; i++) {
        if (us_is_usable(test, i))
            p->samples[to++] = (struct sample){UNSEEN_TEST, i};
    }
    return UNSEEN_OK;
}

/* What decides the bytes of the samples. */
static enum unseen_status write_settings(struct packing *p, const int64_t *keep)
{
    const struct unseen_dataset *dataset = p->coding.dataset;
    char subset[65] = "";
    if (keep)
        us_sha256_of(keep, (size_t)p->n_train * sizeof *keep, subset);
    json_t *settings =
        json_pack("{s:s, s:s?, s:s, s:s?, s:i, s:o}", "format", dataset->format, "source", dataset->source,
                  "hash", dataset->hash, "subset", keep ? subset : NULL, "size", p->coding.side, "quality",
                  p->coding.side == 0                ? json_null()
                  : p->coding.quality == US_PACK_RAW ? json_string("raw")
                                                     : json_integer(p->coding.quality));
    char *text = settings ? json_dumps(settings, JSON_SORT_KEYS) : NULL;
    json_decref(settings);
    if (!text)
        return us_fail(UNSEEN_FAILED, "memory", "cannot write the settings");
    const int padding = (int)(us_padded(strlen(text)) - strlen(text));
    p->settings = us_format("%s%*s", text, padding, "");
    free(text);
    return p->settings ? UNSEEN_OK : UNSEEN_FAILED;
}

/* A write that fails is told by the stream's flag, which is looked at after each batch; until then nothing
 * comes behind the gap. */
static void put(struct packing *p, const void *bytes, size_t size)
{
    if (!ferror(p->file))
        fwrite(bytes, 1, size, p->file);
    p->at += size;
}

static void put_numbers(struct packing *p, const uint64_t *numbers, int n)
{
    uint8_t bytes[8];
    for (int i = 0; i < n; i++) {
        us_put_number(bytes, numbers[i], 8);
        put(p, bytes, sizeof bytes);
    }
}

static void put_padding(struct packing *p)
{
    static const uint8_t zeroes[8];
    put(p, zeroes, us_padded(p->at) - p->at);
}

static void put_sample(struct packing *p, const struct encoded *encoded)
{
    struct us_packed_sample *packed = &p->packed[p->done];
    *packed = (struct us_packed_sample){.offset = p->at + US_PACK_FRAME,
                                        .size = encoded->size,
                                        .sum = us_hash(US_HASH_START, encoded->bytes, encoded->size)};
    put_numbers(p, (const uint64_t[]){(uint64_t)p->done, packed->size, packed->sum}, 3);
    put(p, encoded->bytes, encoded->size);
    put_padding(p);
    p->done++;
}

static void encode_share(void *context, int thread)
{
    struct packing *p = context;
    for (;;) {
        const int64_t i = atomic_fetch_add(&p->next, 1);
        if (i >= p->n_batch || us_interrupted() || p->errors[thread].status != UNSEEN_OK)
            return;
        const struct sample *sample = &p->samples[p->done + i];
        enum unseen_status st = us_pack_encode(&p->encoders[thread], sample->split, sample->index,
                                               &p->batch[i].bytes, &p->batch[i].size);
        if (st != UNSEEN_OK)
            us_error_take(st, &p->errors[thread]);
    }
}

static enum unseen_status check_batch(struct packing *p)
{
    if (us_interrupted()) {
        us_fail(UNSEEN_INTERRUPTED, p->path, "interrupted after %lld of %lld samples", (long long)p->done,
                (long long)p->n);
        us_hint("the same command goes on");
        return UNSEEN_INTERRUPTED;
    }
    for (int t = 0; t < p->threads; t++) {
        if (p->errors[t].status != UNSEEN_OK)
            return us_error_again(&p->errors[t]);
    }
    return UNSEEN_OK;
}

static enum unseen_status write_batch(struct packing *p)
{
    const int64_t left = p->n - p->done;
    p->n_batch = left < (int64_t)p->threads * BATCH ? left : (int64_t)p->threads * BATCH;
    atomic_store(&p->next, 0);
    us_threads_run(p->threads, encode_share, p);
    enum unseen_status st = check_batch(p);
    const int64_t n = p->n_batch;
    for (int64_t i = 0; i < n; i++) {
        if (st == UNSEEN_OK)
            put_sample(p, &p->batch[i]);
        free(p->batch[i].bytes);
        p->batch[i] = (struct encoded){0};
    }
    return st == UNSEEN_OK && ferror(p->file) ? us_fail_errno(p->path, "cannot write") : st;
}

static enum unseen_status write_samples(struct packing *p)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_progress *progress = us_progress_begin("pack", "images", (uint64_t)(p->n - p->done));
    const int64_t begin = p->done;
    p->threads = us_threads(THREADS_MOST);
    US_TRY_ALLOC(p->batch = us_calloc((size_t)p->threads * BATCH, sizeof *p->batch));
    for (int t = 0; t < p->threads; t++)
        US_TRY(us_pack_encoder_open(&p->coding, &p->encoders[t]));
    while (p->done < p->n) {
        US_TRY(write_batch(p));
        us_progress_update(progress, (uint64_t)(p->done - begin), NULL);
    }
out:
    us_progress_end(progress);
    return st;
}

/* The name of a sample; formats without files get one. Fresh memory. */
static char *name_of(const struct packing *p, int64_t i)
{
    const struct unseen_dataset *dataset = p->coding.dataset;
    const struct sample *sample = &p->samples[i];
    const struct unseen_images *images = &dataset->split[sample->split];
    if (images->paths)
        return us_format("%s", images->paths[sample->index]);
    const bool jpeg = p->coding.side > 0 && p->coding.quality != US_PACK_RAW;
    return us_format("%s/%s/%06lld.%s", sample->split == UNSEEN_TRAIN ? "train" : "test",
                     dataset->class_names[images->labels[sample->index]], (long long)sample->index,
                     jpeg ? "jpg" : "ppm");
}

static uint64_t class_at(const struct packing *p, enum unseen_split split)
{
    const struct unseen_images *images = &p->coding.dataset->split[split];
    return images->paths ? images->class_at : strlen(split == UNSEEN_TRAIN ? "train/" : "test/");
}

static enum unseen_status write_table(const struct packing *p, FILE *table)
{
    const struct unseen_dataset *dataset = p->coding.dataset;
    struct packing to = {.file = table};
    put_numbers(&to,
                (const uint64_t[]){(uint64_t)p->n_train, (uint64_t)(p->n - p->n_train),
                                   (uint64_t)dataset->classes, class_at(p, UNSEEN_TRAIN),
                                   class_at(p, UNSEEN_TEST)},
                5);
    for (int64_t i = 0; i < p->n; i++) {
        const struct us_packed_sample *packed = &p->packed[i];
        const struct sample *sample = &p->samples[i];
        const uint64_t label = (uint32_t)dataset->split[sample->split].labels[sample->index];
        put_numbers(
            &to,
            (const uint64_t[]){packed->offset, packed->size, packed->sum, (uint64_t)sample->index, label}, 5);
    }
    for (int c = 0; c < dataset->classes; c++)
        put(&to, dataset->class_names[c], strlen(dataset->class_names[c]) + 1);
    for (int64_t i = 0; i < p->n; i++) {
        char *name = name_of(p, i);
        if (!name)
            return UNSEEN_FAILED;
        put(&to, name, strlen(name) + 1);
        free(name);
    }
    return UNSEEN_OK;
}

/* The table, then the header that says where it is: until then the file is an unfinished pack. */
static enum unseen_status finish(struct packing *p)
{
    struct us_pack_header header = {.table = p->at, .settings_size = strlen(p->settings)};
    uint8_t bytes[US_PACK_HEADER];
    char *table = NULL;
    size_t size = 0;
    enum unseen_status st;
    struct us_memory_stream memory;
    us_memory_stream_begin(&memory);
    st = memory.stream ? write_table(p, memory.stream) : UNSEEN_OK;
    const enum unseen_status ended = us_memory_stream_end(&memory, "table of the pack", &table, &size);
    US_TRY(st);
    US_TRY(ended);
    put(p, table, size);
    header.table_size = size;
    us_sha256_bytes(table, size, header.digest);
    us_pack_header_put(&header, bytes);
    if (ferror(p->file) || fflush(p->file) != 0 || fsync(fileno(p->file)) != 0 ||
        fseeko(p->file, 0, SEEK_SET) != 0 || fwrite(bytes, 1, sizeof bytes, p->file) != sizeof bytes ||
        fflush(p->file) != 0 || fsync(fileno(p->file)) != 0)
        st = us_fail_errno(p->path, "cannot write");
out:
    free(table);
    return st;
}

static enum unseen_status begin_file(struct packing *p)
{
    uint8_t bytes[US_PACK_HEADER];
    us_pack_header_put(&(struct us_pack_header){.settings_size = strlen(p->settings)}, bytes);
    rewind(p->file);
    if (ftruncate(fileno(p->file), 0) != 0)
        return us_fail_errno(p->path, "cannot write");
    put(p, bytes, sizeof bytes);
    put(p, p->settings, strlen(p->settings));
    return ferror(p->file) || fflush(p->file) != 0 ? us_fail_errno(p->path, "cannot write") : UNSEEN_OK;
}

/* UNSEEN_USAGE if the file does not begin as this pack does. `p->at` is behind the beginning, or 0 if not
 * even that was written to its end. */
static enum unseen_status check_beginning(struct packing *p)
{
    enum unseen_status st = UNSEEN_OK;
    const size_t size = strlen(p->settings);
    struct us_pack_header header = {.settings_size = size};
    uint8_t begun[US_PACK_HEADER], bytes[US_PACK_HEADER];
    char *settings = us_calloc(size, 1);
    US_TRY_ALLOC(settings);
    us_pack_header_put(&header, begun);
    const size_t got = fread(bytes, 1, sizeof bytes, p->file), text = fread(settings, 1, size, p->file);
    bool alike = got == sizeof bytes ? us_pack_header_get(p->path, bytes, got, &header) == UNSEEN_OK &&
                                           header.settings_size == size
                                     : memcmp(bytes, begun, got) == 0;
    alike = alike && memcmp(settings, p->settings, text) == 0;
    if (ferror(p->file)) {
        st = us_fail_errno(p->path, "cannot read");
    } else if (!alike) {
        st = us_fail(UNSEEN_USAGE, p->path, "was begun with other data or options");
        us_hint("remove it, or name another --out");
    }
    p->at = got + text == sizeof bytes + size ? sizeof bytes + size : 0;
out:
    free(settings);
    return st;
}

/* The next sample of an unfinished file; false where it is not whole. `bytes` grows as needed. */
static bool read_sample(struct packing *p, uint64_t file_size, struct us_bytes *bytes)
{
    uint8_t frame[US_PACK_FRAME];
    struct us_packed_sample *packed = &p->packed[p->done];
    if (fread(frame, 1, sizeof frame, p->file) != sizeof frame)
        return false;
    *packed = (struct us_packed_sample){.offset = p->at + US_PACK_FRAME,
                                        .size = us_get_number(frame + 8, 8),
                                        .sum = us_get_number(frame + 16, 8)};
    if (us_get_number(frame, 8) != (uint64_t)p->done || packed->size > file_size ||
        us_padded(packed->offset + packed->size) > file_size)
        return false;
    const size_t size = us_padded(packed->offset + packed->size) - packed->offset;
    if (us_bytes_reserve(bytes, size) != UNSEEN_OK || fread(bytes->data, 1, size, p->file) != size ||
        us_hash(US_HASH_START, bytes->data, packed->size) != packed->sum)
        return false;
    p->at = packed->offset + size;
    p->done++;
    return true;
}

/* Go on behind the last good sample of a file that was begun. */
static enum unseen_status resume(struct packing *p)
{
    enum unseen_status st;
    struct us_bytes bytes = {0};
    fseeko(p->file, 0, SEEK_END);
    const off_t size = ftello(p->file);
    rewind(p->file);
    US_TRY(check_beginning(p));
    if (p->at == 0)
        return begin_file(p);
    while (p->done < p->n && read_sample(p, (uint64_t)size, &bytes))
        continue;
    us_bytes_free(&bytes);
    if (ftruncate(fileno(p->file), (off_t)p->at) != 0 || fseeko(p->file, (off_t)p->at, SEEK_SET) != 0)
        return us_fail_errno(p->path, "cannot write");
    if (p->done > 0)
        us_log(UNSEEN_LOG_INFO, "%s: goes on after %lld of %lld samples", p->path, (long long)p->done,
               (long long)p->n);
out:
    return st;
}

static enum unseen_status check_disk(const struct packing *p, const char *out)
{
    int64_t bytes = 0;
    for (int64_t i = p->done; i < p->n; i++)
        bytes += us_pack_estimate(&p->coding, p->samples[i].split, p->samples[i].index) + US_PACK_FRAME +
                 US_PACK_ENTRY + 64;
    return us_check_room(out, bytes);
}

static void end(struct packing *p)
{
    for (int t = 0; t < p->threads; t++)
        us_pack_encoder_close(&p->encoders[t]);
    if (p->file)
        fclose(p->file);
    free(p->batch);
    free(p->samples);
    free(p->packed);
    free(p->settings);
}

/* Everything but the name. */
static enum unseen_status pack_to(struct packing *p, const char *out)
{
    enum unseen_status st;
    p->file = us_fopen(p->path, us_exists(p->path) ? "r+be" : "w+be");
    if (!p->file)
        return us_fail_errno(p->path, "cannot write");
    US_TRY(resume(p));
    if ((st = check_disk(p, out)) != UNSEEN_OK) {
        if (p->done == 0) /* so that one of other options can be begun */
            (void)unlink(p->path);
        goto out;
    }
    US_TRY(write_samples(p));
    US_TRY(finish(p));
out:
    return st;
}

static enum unseen_status check_options(const struct unseen_dataset *dataset,
                                        const struct unseen_pack_options *options)
{
    if (dataset->channels != 3)
        return us_fail(UNSEEN_USAGE, dataset->location, "has %d channels, and a pack holds images of 3",
                       dataset->channels);
    if (options->size == 0 && options->quality == US_PACK_RAW)
        return us_fail(UNSEEN_USAGE, "--quality",
                       "raw needs a --size: with size 0 files stay as they are stored");
    return UNSEEN_OK;
}

/* The folder that the pack is to lie in is there. */
static enum unseen_status check_folder(const char *out)
{
    const char *slash = strrchr(out, '/');
    enum unseen_status st = UNSEEN_OK;
    if (!slash || slash == out)
        return UNSEEN_OK;
    char *folder = us_format("%.*s", (int)(slash - out), out);
    if (!folder)
        return UNSEEN_FAILED;
    if (!us_is_folder(folder))
        st = us_fail(UNSEEN_USAGE, out, us_exists(folder) ? "%s is no folder" : "there is no folder %s",
                     folder);
    free(folder);
    return st;
}

enum unseen_status unseen_dataset_pack(const struct unseen_dataset *dataset, const int64_t *keep, int64_t n,
                                       const struct unseen_pack_options *options, const char *out)
{
    struct packing p = {.coding = {dataset, options->size, options->quality}};
    char *partial = us_format("%s.partial", out);
    struct us_subset subset;
    int64_t *usable = NULL;
    int lock = -1;
    enum unseen_status st;
    US_TRY_ALLOC(partial);
    p.path = partial;
    US_TRY(check_options(dataset, options));
    US_TRY(us_subset_of(dataset, keep, n, &subset, &usable));
    if (us_exists(out)) {
        st = us_fail(UNSEEN_USAGE, out, "is there already");
        us_hint("remove it, or name another --out");
        goto out;
    }
    US_TRY(check_folder(out));
    US_TRY(list_samples(&p, subset.keep, subset.n));
    US_TRY(write_settings(&p, subset.keep));
    US_TRY(us_lock(partial, &lock));
    US_TRY(pack_to(&p, out));
    if (rename(partial, out) != 0)
        st = us_fail_errno(out, "cannot move what is finished here");
out:
    if (lock >= 0)
        us_unlock(lock);
    end(&p);
    free(usable);
    free(partial);
    return st;
}
