#include "config.h"

#include "datasets/labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/labels.h"
#include "base/log.h"
#include "base/sha256.h"
#include "datasets/samples.h"

void us_options_take(const struct unseen_dataset_options *options, struct unseen_dataset *dataset)
{
    if (options)
        dataset->options = *options;
    dataset->options.labels = dataset->options.true_labels = NULL;
}

static int64_t find_sample(const void *samples, const char *text)
{
    return us_samples_find(samples, text);
}

/* Fresh memory: the labels, and the file's full path. */
static enum unseen_status read_file(const struct unseen_dataset *dataset, const char *file,
                                    enum us_label_kind kind, int32_t **labels, const char **path)
{
    const int64_t n = dataset->split[UNSEEN_TRAIN].n;
    struct us_samples samples = {0};
    int32_t *fresh = us_calloc((size_t)n, sizeof *fresh);
    const struct us_labelled of = {.name = dataset->location,
                                   .n = n,
                                   .classes = dataset->classes,
                                   .class_names = dataset->class_names,
                                   .find = find_sample,
                                   .samples = &samples};
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(fresh);
    US_TRY(us_samples_begin(dataset, &samples));
    US_TRY(us_labels_read(file, kind, &of, fresh));
    if (!(*path = realpath(file, NULL))) {
        st = us_fail_errno(file, "cannot find its full path");
        goto out;
    }
    *labels = fresh;
    fresh = NULL;
out:
    us_samples_end(&samples);
    free(fresh);
    return st;
}

/* The same pixels with other labels are other data. */
static void hash_labels(const int32_t *labels, int64_t n, char text[65])
{
    static const char what[] = "labels";
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, strlen(text) + 1, (const uint8_t *)text);
    sha256_update(&hash, sizeof what, (const uint8_t *)what);
    for (int64_t i = 0; i < n; i++) {
        const uint32_t label = (uint32_t)labels[i];
        const uint8_t bytes[4] = {(uint8_t)label, (uint8_t)(label >> 8), (uint8_t)(label >> 16),
                                  (uint8_t)(label >> 24)};
        sha256_update(&hash, sizeof bytes, bytes);
    }
    us_sha256_hex(&hash, text);
}

/* Of the training split; test samples have no labels to compare. */
static void count_duplicates(struct unseen_dataset *dataset)
{
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN];
    dataset->duplicates.same_label = dataset->duplicates.other_label = 0;
    for (int64_t i = 0; train->duplicate_of && i < train->n; i++) {
        const int64_t original = train->duplicate_of[i];
        if (original == i)
            continue;
        if (train->labels[i] == train->labels[original])
            dataset->duplicates.same_label++;
        else
            dataset->duplicates.other_label++;
    }
}

static void give(struct unseen_dataset *dataset, int32_t *labels)
{
    struct unseen_images *train = &dataset->split[UNSEEN_TRAIN];
    for (int64_t i = 0; i < train->n; i++)
        dataset->relabelled += labels[i] != train->labels[i];
    free((void *)train->labels);
    train->labels = labels;
    if (dataset->relabelled > 0)
        hash_labels(labels, train->n, dataset->hash);
    count_duplicates(dataset);
    us_log(UNSEEN_LOG_INFO, "%s: %lld of %lld training labels differ from the dataset's own",
           dataset->options.labels, (long long)dataset->relabelled, (long long)train->n);
}

enum unseen_status us_labels_take(const struct unseen_dataset_options *options,
                                  struct unseen_dataset *dataset)
{
    enum unseen_status st = UNSEEN_OK;
    int32_t *labels = NULL;
    if (options->labels) {
        US_TRY(read_file(dataset, options->labels, US_LABELS_GIVEN, &labels, &dataset->options.labels));
        give(dataset, labels);
    }
    if (options->true_labels) {
        US_TRY(
            read_file(dataset, options->true_labels, US_LABELS_TRUE, &labels, &dataset->options.true_labels));
        dataset->split[UNSEEN_TRAIN].true_labels = labels;
    }
out:
    return st;
}
