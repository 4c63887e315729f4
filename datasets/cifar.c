#include "config.h"

#include "datasets/cifar.h"

#include <stdlib.h>
#include <string.h>

#include "datasets/format.h"
#include "datasets/store/source.h"

const struct us_cifar us_cifar10 = {
    .format = "cifar10",
    .train = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
              "data_batch_5.bin"},
    .test = "test_batch.bin",
    .names = "batches.meta.txt",
    .label_bytes = 1,
    .classes = 10,
    .mean = {0.4914F, 0.4822F, 0.4465F},
    .std = {0.2470F, 0.2435F, 0.2616F},
};

const struct us_cifar us_cifar100 = {
    .format = "cifar100",
    .train = {"train.bin"},
    .test = "test.bin",
    .names = "fine_label_names.txt",
    .coarse_names = "coarse_label_names.txt",
    .label_bytes = 2,
    .classes = 100,
    .coarse_classes = 20,
    .mean = {0.5071F, 0.4865F, 0.4409F},
    .std = {0.2673F, 0.2564F, 0.2762F},
};

static const char *const cifar10_names[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                            "dog",      "frog",       "horse", "ship", "truck"};

/* Where each file lies in the list that is collected. */
enum { TEST = US_CIFAR_TRAIN_FILES, NAMES, COARSE_NAMES, N_FILES };

struct reading {
    const struct us_cifar *layout;
    const char *location;
    bool coarse;
    struct us_defects *defects;
    struct us_blob blobs[N_FILES];
    size_t record; /* bytes */
    int classes, coarse_classes;
};

/* A name is only ever compared with names that exist, so an unused file has one that none can have. */
static const char *or_none(const char *name)
{
    return name ? name : "/";
}

static enum unseen_status collect_files(struct reading *reading)
{
    const struct us_cifar *layout = reading->layout;
    const char *wanted[N_FILES];
    for (int i = 0; i < US_CIFAR_TRAIN_FILES; i++)
        wanted[i] = or_none(layout->train[i]);
    wanted[TEST] = layout->test;
    wanted[NAMES] = layout->names;
    wanted[COARSE_NAMES] = or_none(layout->coarse_names);
    struct us_source *source = NULL;
    enum unseen_status st;
    US_TRY(us_source_open(reading->location, &source));
    US_TRY(us_source_collect(source, wanted, N_FILES, reading->blobs));
    for (int i = 0; i < US_CIFAR_TRAIN_FILES; i++) {
        if (reading->blobs[i].name)
            goto out;
    }
    st = us_fail(UNSEEN_BAD_DATA, reading->location, "holds no %s", layout->train[0]);
    us_hint("scripts/fetch-cifar downloads the binary version of CIFAR");
out:
    us_source_close(source);
    return st;
}

/* The next line of [*at, end) without blanks around it, as fresh memory; empty lines are passed over.
 * *line NULL at the end. */
static enum unseen_status next_line(const char **at, const char *end, char **line)
{
    *line = NULL;
    while (*at < end) {
        const char *stop = memchr(*at, '\n', (size_t)(end - *at));
        const char *from = *at, *to = stop ? stop : end;
        *at = stop ? stop + 1 : end;
        while (from < to && strchr(" \t\r", *from))
            from++;
        while (to > from && strchr(" \t\r", to[-1]))
            to--;
        if (from < to) {
            *line = us_format("%.*s", (int)(to - from), from);
            return *line ? UNSEEN_OK : UNSEEN_FAILED;
        }
    }
    return UNSEEN_OK;
}

/* How many classes there are and what they are called, from the file of names if there is one. `names` has
 * room for `most`, each fresh memory also after a failure. */
static enum unseen_status parse_names(const struct reading *reading, const struct us_blob *blob, int most,
                                      char **names, int *classes)
{
    *classes = 0;
    const char *at = (const char *)blob->bytes, *end = at ? at + blob->size : NULL;
    for (;;) {
        char *line = NULL;
        enum unseen_status st = next_line(&at, end, &line);
        if (st != UNSEEN_OK || !line)
            return st;
        if (*classes == most) {
            free(line);
            return us_fail(UNSEEN_BAD_DATA, reading->location, "%s: more than %d class names", blob->name,
                           most);
        }
        names[(*classes)++] = line;
    }
}

static enum unseen_status read_names(struct reading *reading, struct unseen_dataset *dataset)
{
    const struct us_cifar *layout = reading->layout;
    char *fine[100] = {NULL}, *coarse[100] = {NULL};
    enum unseen_status st;
    US_TRY(parse_names(reading, &reading->blobs[NAMES], layout->classes, fine, &reading->classes));
    US_TRY(parse_names(reading, &reading->blobs[COARSE_NAMES], layout->coarse_classes, coarse,
                       &reading->coarse_classes));
    const char *const *names = (const char *const *)(reading->coarse ? coarse : fine);
    if (!names[0])
        names = layout->coarse_names ? NULL : cifar10_names;
    if (reading->classes == 0)
        reading->classes = layout->classes;
    if (reading->coarse_classes == 0)
        reading->coarse_classes = layout->coarse_classes;
    st = us_class_names(dataset, names, reading->coarse ? reading->coarse_classes : reading->classes);
out:
    for (int i = 0; i < 100; i++) {
        free(fine[i]);
        free(coarse[i]);
    }
    return st;
}

static enum unseen_status check_file(const struct reading *reading, const struct us_blob *blob)
{
    const int fine_at = reading->layout->label_bytes - 1;
    struct us_defects *defects = reading->defects;
    enum unseen_status st = UNSEEN_OK;
    if (blob->size == 0)
        return us_defect(defects, reading->location, blob->name, -1, "is empty");
    size_t whole = blob->size / reading->record, rest = blob->size % reading->record;
    for (size_t i = 0; i < whole; i++) {
        const uint8_t *labels = blob->bytes + i * reading->record;
        int fine = labels[fine_at], coarse = labels[0];
        if (fine >= reading->classes)
            US_TRY(us_defect(defects, reading->location, blob->name, (int64_t)i,
                             "label %d is out of range 0..%d", fine, reading->classes - 1));
        if (fine_at > 0 && coarse >= reading->coarse_classes)
            US_TRY(us_defect(defects, reading->location, blob->name, (int64_t)i,
                             "coarse label %d is out of range 0..%d", coarse, reading->coarse_classes - 1));
    }
    defects->checked += (int64_t)whole;
    if (rest > 0)
        st = us_defect(defects, reading->location, blob->name, (int64_t)whole, "truncated: %zu of %zu bytes",
                       rest, reading->record);
out:
    return st;
}

/* Planes to interleaved pixels, labels apart. */
static void unpack(const struct reading *reading, const struct us_blob *blob, uint8_t *pixels,
                   int32_t *labels, uint8_t *second)
{
    const int label_bytes = reading->layout->label_bytes;
    const int wanted = reading->coarse ? 0 : label_bytes - 1;
    for (size_t i = 0; i < blob->size / reading->record; i++) {
        const uint8_t *record = blob->bytes + i * reading->record;
        const uint8_t *planes = record + label_bytes;
        uint8_t *image = pixels + i * US_CIFAR_PIXELS;
        labels[i] = record[wanted];
        if (second)
            second[i] = record[1 - wanted];
        for (size_t p = 0; p < US_CIFAR_PLANE; p++) {
            image[3 * p] = planes[p];
            image[3 * p + 1] = planes[US_CIFAR_PLANE + p];
            image[3 * p + 2] = planes[2 * US_CIFAR_PLANE + p];
        }
    }
}

/* Blobs [first, last) one behind the other; each is freed when it has been unpacked. */
static enum unseen_status gather_split(struct reading *reading, int first, int last,
                                       struct unseen_dataset *dataset, enum unseen_split split)
{
    uint8_t *pixels = NULL, *second = NULL;
    int32_t *labels = NULL;
    size_t n = 0;
    for (int i = first; i < last; i++)
        n += reading->blobs[i].size / reading->record;
    enum unseen_status st = us_images_make(dataset, split, (int64_t)n, US_CIFAR_PIXELS, &pixels, &labels);
    if (st != UNSEEN_OK)
        return st;
    if (reading->layout->label_bytes > 1) {
        dataset->split[split].second_labels = second = us_calloc(n, 1);
        if (!second)
            return UNSEEN_FAILED;
    }
    size_t at = 0;
    for (int i = first; i < last; i++) {
        struct us_blob *blob = &reading->blobs[i];
        unpack(reading, blob, pixels + at * US_CIFAR_PIXELS, labels + at, second ? second + at : NULL);
        at += blob->size / reading->record;
        us_blob_free(blob);
    }
    return UNSEEN_OK;
}

static enum unseen_status read_cifar(const struct us_cifar *layout, const char *location, bool coarse,
                                     struct us_defects *defects, struct unseen_dataset *dataset)
{
    struct reading reading = {.layout = layout, .location = location, .coarse = coarse, .defects = defects};
    enum unseen_status st;
    reading.record = (size_t)layout->label_bytes + US_CIFAR_PIXELS;
    US_TRY(collect_files(&reading));
    US_TRY(read_names(&reading, dataset));
    for (int i = 0; i <= TEST; i++) {
        if (reading.blobs[i].name)
            US_TRY(check_file(&reading, &reading.blobs[i]));
    }
    dataset->height = dataset->width = US_CIFAR_SIDE;
    dataset->channels = 3;
    dataset->coarse_labels = coarse;
    memcpy(dataset->mean, layout->mean, sizeof dataset->mean);
    memcpy(dataset->std, layout->std, sizeof dataset->std);
    if (defects->count > 0)
        goto out;
    US_TRY(gather_split(&reading, 0, TEST, dataset, UNSEEN_TRAIN));
    US_TRY(gather_split(&reading, TEST, TEST + 1, dataset, UNSEEN_TEST));
out:
    for (int i = 0; i < N_FILES; i++)
        us_blob_free(&reading.blobs[i]);
    return st;
}

static bool is_file_of(const struct us_cifar *layout, const char *file)
{
    const char *name = us_base_name(file);
    for (int i = 0; i < US_CIFAR_TRAIN_FILES && layout->train[i]; i++) {
        if (strcmp(name, layout->train[i]) == 0)
            return true;
    }
    return strcmp(name, layout->test) == 0;
}

const struct us_cifar *us_cifar_for(int classes)
{
    return classes <= us_cifar10.classes ? &us_cifar10 : &us_cifar100;
}

static enum us_sure probe10(const char *file)
{
    return is_file_of(&us_cifar10, file) ? US_CERTAINLY : US_NOT;
}

static enum us_sure probe100(const char *file)
{
    return is_file_of(&us_cifar100, file) ? US_CERTAINLY : US_NOT;
}

static enum unseen_status read10(const char *location, struct us_defects *defects,
                                 struct unseen_dataset *dataset)
{
    return read_cifar(&us_cifar10, location, false, defects, dataset);
}

static enum unseen_status read100(const char *location, struct us_defects *defects,
                                  struct unseen_dataset *dataset)
{
    return read_cifar(&us_cifar100, location, false, defects, dataset);
}

static enum unseen_status read100_coarse(const char *location, struct us_defects *defects,
                                         struct unseen_dataset *dataset)
{
    return read_cifar(&us_cifar100, location, true, defects, dataset);
}

static enum unseen_status measure10(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                    int64_t *bytes)
{
    return us_cifar_measure(&us_cifar10, dataset, subset, bytes);
}

static enum unseen_status measure100(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                     int64_t *bytes)
{
    return us_cifar_measure(&us_cifar100, dataset, subset, bytes);
}

static enum unseen_status write10(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                  const char *out)
{
    return us_cifar_write(&us_cifar10, dataset, subset, out);
}

static enum unseen_status write100(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                   const char *out)
{
    return us_cifar_write(&us_cifar100, dataset, subset, out);
}

const struct us_dataset_format us_format_cifar10 = {
    .name = "cifar10",
    .argument = "DIR",
    .looked_for = "CIFAR's binary files",
    .probe = probe10,
    .read = read10,
    .measure = measure10,
    .write = write10,
};

const struct us_dataset_format us_format_cifar100 = {
    .name = "cifar100",
    .argument = "DIR",
    .coarse = "cifar100-coarse",
    .looked_for = "CIFAR-100's",
    .probe = probe100,
    .read = read100,
    .measure = measure100,
    .write = write100,
};

const struct us_dataset_format us_format_cifar100_coarse = {
    .name = "cifar100-coarse",
    .argument = "DIR",
    .coarse = "cifar100-coarse",
    .read = read100_coarse,
    .measure = measure100,
    .write = write100,
};
