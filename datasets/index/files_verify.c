/* Decoding every file of a dataset to see which are bad. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "base/threads.h"
#include "datasets/image/image.h"
#include "datasets/index/file_reader.h"
#include "datasets/index/files.h"
#include "datasets/index/headers.h"

/* Files that are decoded before what was found in them is told, in order. */
enum { CHUNK = 512 };

struct verifying {
    struct us_index *index;
    int64_t first;
    int n, threads;
    struct verdict {
        bool bad;
        uint8_t digest[SHA256_DIGEST_SIZE]; /* of the file */
        char text[US_REASON];               /* the reason if bad, else a note; "" if there is none */
    } * verdicts;                           /* [n] */
    enum unseen_status status[US_THREADS_MOST];
    struct sha256_ctx content;
};

/* A sample's part of the content: its label, its name from its class on, what its file holds. */
static void add_content(struct verifying *v, int k)
{
    const struct us_index *index = v->index;
    const int64_t i = v->first + k;
    const char *name =
        us_index_name(index, i) + index->class_at[i < index->n[UNSEEN_TRAIN] ? UNSEEN_TRAIN : UNSEEN_TEST];
    const uint32_t label = (uint32_t)index->labels[i];
    const uint8_t bytes[4] = {(uint8_t)label, (uint8_t)(label >> 8), (uint8_t)(label >> 16),
                              (uint8_t)(label >> 24)};
    sha256_update(&v->content, sizeof bytes, bytes);
    sha256_update(&v->content, strlen(name) + 1, (const uint8_t *)name);
    sha256_update(&v->content, sizeof v->verdicts[k].digest, v->verdicts[k].digest);
}

static void verify_file(struct verifying *v, struct us_image_decoder *decoder, struct us_bytes *bytes, int k)
{
    const int64_t i = v->first + k;
    struct us_entry *entry = &v->index->entries[i];
    struct verdict *verdict = &v->verdicts[k];
    int height = 0, width = 0;
    *verdict = (struct verdict){.bad = true};
    if (entry->bad)
        snprintf(verdict->text, US_REASON, "%s", us_entry_reason(v->index, i));
    else if (us_store_try(v->index->store, us_index_name(v->index, i), &entry->place, 0, entry->place.size,
                          bytes, verdict->text)) {
        us_sha256_bytes(bytes->data, bytes->size, verdict->digest);
        verdict->bad = !us_image_size(decoder, bytes->data, bytes->size, &height, &width) ||
                       !us_image_decode(decoder, bytes->data, bytes->size, NULL);
        const char *text = verdict->bad ? us_image_reason(decoder) : us_image_note(decoder);
        snprintf(verdict->text, US_REASON, "%s", text ? text : "");
    }
}

static void verify_share(void *context, int thread)
{
    struct verifying *v = context;
    struct us_image_decoder *decoder = NULL;
    struct us_bytes bytes = {0};
    v->status[thread] = us_image_open(&decoder);
    for (int k = thread; v->status[thread] == UNSEEN_OK && k < v->n && !us_interrupted(); k += v->threads)
        verify_file(v, decoder, &bytes, k);
    us_bytes_free(&bytes);
    us_image_close(decoder);
}

/* Files whose content fails are bad ones too: they have no duplicates. */
static enum unseen_status tell(struct verifying *v, const char *location, enum unseen_on_bad on_bad,
                               struct us_defects *defects)
{
    enum unseen_status st = UNSEEN_OK;
    for (int k = 0; k < v->n; k++) {
        const struct verdict *verdict = &v->verdicts[k];
        struct us_entry *entry = &v->index->entries[v->first + k];
        const char *name = us_index_name(v->index, v->first + k);
        defects->checked++;
        add_content(v, k);
        entry->bad = verdict->bad;
        if (verdict->bad && on_bad != UNSEEN_BAD_ERROR)
            us_dataset_bad(defects, name, verdict->text);
        else if (verdict->bad)
            US_TRY(us_defect(defects, location, name, -1, "%s", verdict->text));
        else if (*verdict->text)
            us_dataset_warning(defects, name, verdict->text);
        defects->rotated += !verdict->bad && entry->orientation != 1;
    }
out:
    return st;
}

/* dataset->hash: of the names of classes and of all files, by samples of the training split, then of the test
 * split.
 */
static enum unseen_status decode_all(struct unseen_dataset *dataset, const char *location,
                                     struct us_defects *defects)
{
    struct us_index *index = us_files_index(dataset);
    const int64_t n = index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST];
    struct verifying v = {.index = index, .threads = us_threads(US_THREADS_MOST)};
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(v.verdicts = us_calloc(CHUNK, sizeof *v.verdicts));
    sha256_init(&v.content);
    for (int c = 0; c < index->n_classes; c++)
        sha256_update(&v.content, strlen(index->classes[c]) + 1, (const uint8_t *)index->classes[c]);
    for (v.first = 0; v.first < n; v.first += v.n) {
        v.n = n - v.first < CHUNK ? (int)(n - v.first) : CHUNK;
        us_threads_run(v.threads, verify_share, &v);
        US_TRY(us_dataset_go_on(location));
        for (int i = 0; i < v.threads; i++)
            US_TRY(v.status[i]);
        US_TRY(tell(&v, location, dataset->options.on_bad, defects));
    }
    us_sha256_hex(&v.content, dataset->hash);
out:
    free(v.verdicts);
    return st;
}

enum unseen_status us_files_verify(const struct us_dataset_format *format, const char *location,
                                   struct us_defects *defects, struct unseen_dataset *dataset)
{
    enum unseen_status st;
    US_TRY(us_files_list(format, location, dataset));
    US_TRY(decode_all(dataset, location, defects));
    if (format->check)
        US_TRY(format->check(location, us_files_index(dataset), defects));
out:
    return st;
}
