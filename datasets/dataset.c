#include "config.h"

#include "datasets/format.h"
#include "datasets/index/duplicates.h"
#include "datasets/index/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dataset_options.h"
#include "base/fs.h"
#include "base/log.h"
#include "datasets/labels.h"
#include "datasets/store/source.h"

#define US_FORMAT(name) &us_format_##name,
static const struct us_dataset_format *const formats[] = {
#include "datasets/formats.def"
};
#undef US_FORMAT

enum { N_FORMATS = sizeof formats / sizeof *formats };

const char *unseen_dataset_format_name(int i, const char **argument)
{
    bool there = i >= 0 && i < N_FORMATS;
    if (argument)
        *argument = there ? formats[i]->argument : NULL;
    return there ? formats[i]->name : NULL;
}

const struct us_dataset_format *us_format_find(const char *name)
{
    for (size_t i = 0; i < N_FORMATS; i++) {
        if (strcmp(name, formats[i]->name) == 0)
            return formats[i];
    }
    return NULL;
}

/* Add to `text`, whose first *at bytes are written. */
static void append(char *text, size_t size, size_t *at, const char *format, const char *a, const char *b)
{
    int n = *at < size ? snprintf(text + *at, size - *at, format, a, b) : 0;
    *at += n > 0 ? (size_t)n : 0;
}

static void hint_formats(bool found_by_looking)
{
    char text[512] = "";
    size_t at = 0;
    for (size_t i = 0; i < N_FORMATS && found_by_looking; i++) {
        if (formats[i]->probe)
            append(text, sizeof text, &at, "%s%s", at ? ", " : "looked for are ", formats[i]->looked_for);
    }
    append(text, sizeof text, &at, "%s%s", at ? "; " : "", "formats can be named:");
    for (size_t i = 0; i < N_FORMATS; i++)
        append(text, sizeof text, &at, " %s:%s", formats[i]->name, formats[i]->argument);
    us_hint("%s", text);
}

/* So many names are looked at if one made a format possible. */
enum { LOOKED_AT = 10000 };

/* Look at names until one makes a format certain; else the first format that one makes possible. */
static enum unseen_status detect(const char *location, const struct us_dataset_format **format)
{
    struct us_source *source = NULL;
    const char *name = NULL;
    enum us_sure sure = US_NOT;
    enum unseen_status st;
    US_TRY(us_source_open(location, &source));
    *format = NULL;
    for (int n = 0; sure < US_CERTAINLY && (sure < US_PERHAPS || n < LOOKED_AT); n++) {
        US_TRY(us_source_next(source, &name));
        if (!name)
            break;
        for (size_t i = 0; i < N_FORMATS; i++) {
            enum us_sure here = formats[i]->probe ? formats[i]->probe(name) : US_NOT;
            if (here > sure) {
                sure = here;
                *format = formats[i];
            }
        }
    }
    if (!*format) {
        st = us_fail(UNSEEN_BAD_DATA, location, "holds no dataset of a known format");
        hint_formats(true);
    }
out:
    us_source_close(source);
    return st;
}

enum unseen_status us_format_of(const char *name, const struct us_dataset_format **format,
                                const char **location)
{
    struct stat about;
    const char *colon = strchr(name, ':');
    for (size_t i = 0; colon && i < N_FORMATS; i++) {
        size_t length = strlen(formats[i]->name);
        if ((size_t)(colon - name) == length && strncmp(name, formats[i]->name, length) == 0) {
            *format = formats[i];
            *location = colon + 1;
            return UNSEEN_OK;
        }
    }
    if (!*name)
        return us_fail(UNSEEN_USAGE, "dataset", "the name is empty");
    *location = name;
    for (size_t i = 0; i < N_FORMATS && !us_is_folder(name); i++) {
        if (formats[i]->knows && formats[i]->knows(name)) {
            *format = formats[i];
            return UNSEEN_OK;
        }
    }
    if (colon && stat(name, &about) != 0) {
        us_fail(UNSEEN_USAGE, name, "'%.*s' is no dataset format, and there is no file of this name",
                (int)(colon - name), name);
        hint_formats(false);
        return UNSEEN_USAGE;
    }
    return detect(name, format);
}

/* The format that reads the same with coarse labels. */
static enum unseen_status take_coarse(const char *name, const struct us_dataset_format **format)
{
    if ((*format)->coarse) {
        *format = us_format_find((*format)->coarse);
        return UNSEEN_OK;
    }
    return us_fail(UNSEEN_USAGE, name, "only CIFAR-100 has coarse labels, and this is %s", (*format)->name);
}

enum unseen_status us_format_read_as(const char *name, const struct unseen_dataset_options *options,
                                     const struct us_dataset_format **format, const char **location)
{
    enum unseen_status st;
    US_TRY(us_format_of(name, format, location));
    if (!options)
        goto out;
    US_TRY(us_options_check(us_dataset_options, options));
    if (options->coarse_labels)
        US_TRY(take_coarse(name, format));
    if (options->test_share > 0 && !(*format)->list)
        return us_fail(UNSEEN_USAGE, "--test-share", "is for image files, and %s is %s", *location,
                       (*format)->name);
out:
    return st;
}

/* "FORMAT:PATH" that opens the same dataset from any folder. */
static enum unseen_status name_source(const struct us_dataset_format *format, struct unseen_dataset *dataset)
{
    char *whole = format->drawn ? NULL : realpath(dataset->location, NULL);
    if (!whole && !format->drawn && *dataset->location != '/') { /* a pattern */
        char *here = getcwd(NULL, 0);
        whole = here ? us_format("%s/%s", here, dataset->location) : NULL;
        free(here);
    }
    dataset->source = us_format("%s:%s", format->name, whole ? whole : dataset->location);
    free(whole);
    return dataset->source ? UNSEEN_OK : UNSEEN_FAILED;
}

/* What training and testing on the data cannot tell of. */
static void warn_of_duplicates(const struct unseen_dataset *dataset)
{
    const struct unseen_duplicates *d = &dataset->duplicates;
    if (d->other_label > 0)
        us_log(UNSEEN_LOG_WARNING,
               "%s: %lld training samples are copies of one with another label; dataset verify lists them",
               dataset->location, (long long)d->other_label);
    if (d->test > 0)
        us_log(UNSEEN_LOG_WARNING,
               "%s: %lld test samples are in the training split too; dataset verify lists them",
               dataset->location, (long long)d->test);
}

/* A format whose pixels are all in memory. */
static enum unseen_status read_pixels(const struct us_dataset_format *format, const char *location,
                                      struct unseen_dataset *dataset)
{
    struct us_defects defects = {0};
    enum unseen_status st;
    US_TRY(format->read(location, &defects, dataset));
    US_TRY(us_dataset_hash(dataset));
    US_TRY(us_duplicates_find(dataset));
    if (dataset->std[0] == 0)
        us_dataset_measure(dataset);
out:
    return st;
}

enum unseen_status unseen_dataset_open(const char *name, const struct unseen_dataset_options *options,
                                       struct unseen_dataset **dataset)
{
    const struct us_dataset_format *format = NULL;
    const char *location = NULL;
    struct unseen_dataset *fresh = NULL;
    enum unseen_status st;
    US_TRY(us_format_read_as(name, options, &format, &location));
    US_TRY_ALLOC(fresh = us_calloc(1, sizeof *fresh));
    fresh->format = format->name;
    us_options_take(options, fresh);
    US_TRY_ALLOC(fresh->location = us_format("%s", location));
    US_TRY(name_source(format, fresh));
    US_TRY(format->list ? us_files_open(format, location, fresh) : read_pixels(format, location, fresh));
    if (options)
        US_TRY(us_labels_take(options, fresh));
    warn_of_duplicates(fresh);
    *dataset = fresh;
    fresh = NULL;
out:
    unseen_dataset_close(fresh);
    return st;
}
