#include "config.h"

#include "datasets/format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"

/* Little-endian, whatever the machine. */
static void put(uint8_t *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static void hash_number(struct sha256_ctx *hash, int64_t value)
{
    uint8_t bytes[8];
    put(bytes, (uint64_t)value, sizeof bytes);
    sha256_update(hash, sizeof bytes, bytes);
}

static void hash_text(struct sha256_ctx *hash, const char *text)
{
    sha256_update(hash, strlen(text) + 1, (const uint8_t *)text);
}

/* Classes that the data give no names are called by their numbers. */
static bool has_class_names(const struct unseen_dataset *dataset)
{
    char number[32];
    for (int c = 0; c < dataset->classes; c++) {
        snprintf(number, sizeof number, US_CLASS_NUMBER, c);
        if (strcmp(dataset->class_names[c], number) != 0)
            return true;
    }
    return false;
}

/* Names are part of what the data are: they give the classes their meaning. */
static void hash_names(struct sha256_ctx *hash, const struct unseen_dataset *dataset)
{
    for (int c = 0; c < dataset->classes; c++)
        hash_text(hash, dataset->class_names[c]);
    for (int split = 0; split < 2; split++) {
        const struct unseen_images *images = &dataset->split[split];
        for (int64_t i = 0; images->paths && i < images->n; i++)
            hash_text(hash, images->paths[i] + images->class_at);
    }
}

enum unseen_status us_dataset_hash(struct unseen_dataset *dataset)
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    hash_number(&hash, dataset->height);
    hash_number(&hash, dataset->width);
    hash_number(&hash, dataset->channels);
    for (int split = 0; split < 2; split++) {
        const struct unseen_images *images = &dataset->split[split];
        size_t n = (size_t)images->n;
        size_t bytes = (size_t)dataset->height * (size_t)dataset->width * (size_t)dataset->channels;
        uint8_t *labels = us_calloc(n, 4);
        if (!labels)
            return UNSEEN_FAILED;
        for (size_t i = 0; i < n; i++)
            put(labels + 4 * i, (uint32_t)images->labels[i], 4);
        hash_number(&hash, images->n);
        sha256_update(&hash, 4 * n, labels);
        sha256_update(&hash, n * bytes, dataset->reader->pixels[split]);
        free(labels);
    }
    if (dataset->split[UNSEEN_TRAIN].paths || has_class_names(dataset))
        hash_names(&hash, dataset);
    us_sha256_hex(&hash, dataset->hash);
    return UNSEEN_OK;
}

void us_dataset_measure(struct unseen_dataset *dataset)
{
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN];
    const uint8_t *values = dataset->reader->pixels[UNSEEN_TRAIN];
    size_t channels = (size_t)dataset->channels;
    size_t pixels = (size_t)train->n * (size_t)dataset->height * (size_t)dataset->width;
    for (size_t c = 0; c < channels && c < 3; c++) {
        uint64_t sum = 0, squares = 0;
        for (size_t i = c; i < pixels * channels; i += channels) {
            uint32_t value = values[i];
            sum += value;
            squares += value * value;
        }
        double n = pixels > 0 ? (double)pixels : 1;
        double mean = (double)sum / n;
        double variance = (double)squares / n - mean * mean;
        dataset->mean[c] = (float)(mean / 255);
        dataset->std[c] = (float)(sqrt(fmax(variance, 1)) / 255);
    }
}
