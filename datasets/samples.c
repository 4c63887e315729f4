#include "config.h"

#include "datasets/samples.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* A sample by its path from its class on, "CLASS/NAME.jpg". */
struct us_sample_name {
    const char *name;
    int64_t sample;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct us_sample_name *)a)->name, ((const struct us_sample_name *)b)->name);
}

enum unseen_status us_samples_begin(const struct unseen_dataset *data, struct us_samples *samples)
{
    const struct unseen_images *train = &data->split[UNSEEN_TRAIN];
    *samples = (struct us_samples){.data = data};
    if (!train->paths || train->n < 1)
        return UNSEEN_OK;
    samples->by_name = us_calloc((size_t)train->n, sizeof *samples->by_name);
    if (!samples->by_name)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < train->n; i++)
        samples->by_name[i] = (struct us_sample_name){train->paths[i] + train->class_at, i};
    qsort(samples->by_name, (size_t)train->n, sizeof *samples->by_name, compare_names);
    return UNSEEN_OK;
}

void us_samples_end(struct us_samples *samples)
{
    free(samples->by_name);
    samples->by_name = NULL;
}

static int64_t find_name(const struct us_samples *samples, const char *name)
{
    const struct us_sample_name wanted = {.name = name};
    const struct us_sample_name *found =
        bsearch(&wanted, samples->by_name, (size_t)samples->data->split[UNSEEN_TRAIN].n,
                sizeof *samples->by_name, compare_names);
    return found ? found->sample : -1;
}

/* With what stands before the class in the dataset, as coreset.csv has it, or without. */
static int64_t find_path(const struct us_samples *samples, const char *path)
{
    const struct unseen_images *train = &samples->data->split[UNSEEN_TRAIN];
    int64_t sample = -1;
    if (!samples->by_name)
        return -1;
    if (strncmp(path, "./", 2) == 0 && strncmp(train->paths[0], "./", 2) != 0)
        path += 2;
    if (strncmp(path, train->paths[0], train->class_at) == 0)
        sample = find_name(samples, path + train->class_at);
    return sample < 0 ? find_name(samples, path) : sample;
}

static int64_t find_index(const struct us_samples *samples, const char *text)
{
    const int64_t n = samples->data->split[UNSEEN_TRAIN].n;
    int64_t index = 0;
    for (const char *c = text; *c; c++) {
        if (!us_is_digit(*c))
            return -1;
        index = 10 * index + (*c - '0');
        if (index >= n)
            return -1;
    }
    return index;
}

int64_t us_samples_find(const struct us_samples *samples, const char *text)
{
    const int64_t sample = find_path(samples, text);
    return sample < 0 ? find_index(samples, text) : sample;
}
