#include "config.h"

#include "datasets/duplicates.h"
#include "datasets/format.h"

#include <string.h>
#include <sys/stat.h>

#include "datasets/source.h"

#define US_FORMAT(name, argument) {#name, argument, us_##name##_probe, us_##name##_read, us_##name##_write},
static const struct us_format formats[] = {
#include "datasets/formats.def"
};
#undef US_FORMAT

#define US_FORMAT(name, argument) " " #name ":" argument
static const char known_formats[] =
#include "datasets/formats.def"
    ;
#undef US_FORMAT

enum { N_FORMATS = sizeof formats / sizeof *formats };

const struct us_format *us_format_find(const char *name)
{
    for (size_t i = 0; i < N_FORMATS; i++) {
        if (strcmp(name, formats[i].name) == 0)
            return &formats[i];
    }
    return NULL;
}

/* Look at names until one makes a format certain; else the first format that one makes possible. */
static enum unseen_status detect(const char *location, const struct us_format **format)
{
    struct us_source *source = NULL;
    const char *name = NULL;
    int sure = 0;
    enum unseen_status st;
    US_TRY(us_source_open(location, &source));
    *format = NULL;
    while (sure < 2) {
        US_TRY(us_source_next(source, &name));
        if (!name)
            break;
        for (size_t i = 0; i < N_FORMATS; i++) {
            int here = formats[i].probe(name);
            if (here > sure) {
                sure = here;
                *format = &formats[i];
            }
        }
    }
    if (!*format) {
        st = us_fail(UNSEEN_BAD_DATA, location, "holds no dataset of a known format");
        us_hint(
            "looked for are CIFAR binaries, train|val|test/CLASS/*.jpg|*.png and CLASS/*.jpg|*.png; a format "
            "can be named:%s",
            known_formats);
    }
out:
    us_source_close(source);
    return st;
}

enum unseen_status us_format_of(const char *name, const struct us_format **format, const char **location)
{
    struct stat about;
    const char *colon = strchr(name, ':');
    for (size_t i = 0; colon && i < N_FORMATS; i++) {
        size_t length = strlen(formats[i].name);
        if ((size_t)(colon - name) == length && strncmp(name, formats[i].name, length) == 0) {
            *format = &formats[i];
            *location = colon + 1;
            return UNSEEN_OK;
        }
    }
    if (!*name)
        return us_fail(UNSEEN_USAGE, "dataset", "the name is empty");
    if (colon && stat(name, &about) != 0) {
        us_fail(UNSEEN_USAGE, name, "'%.*s' is no dataset format, and there is no file of this name",
                (int)(colon - name), name);
        us_hint("formats are%s", known_formats);
        return UNSEEN_USAGE;
    }
    *location = name;
    return detect(name, format);
}

enum unseen_status unseen_dataset_open(const char *name, const struct unseen_dataset_options *options,
                                       struct unseen_dataset **dataset)
{
    static const struct unseen_dataset_options defaults;
    const struct us_format *format = NULL;
    const char *location = NULL;
    struct us_defects defects = {0};
    struct unseen_dataset *fresh = NULL;
    enum unseen_status st;
    if (!options)
        options = &defaults;
    US_TRY(us_format_of(name, &format, &location));
    if (options->coarse_labels && format->read != us_cifar100_read) {
        st = us_fail(UNSEEN_USAGE, name, "only CIFAR-100 has coarse labels, and this is %s", format->name);
        goto out;
    }
    US_TRY_ALLOC(fresh = us_calloc(1, sizeof *fresh));
    fresh->format = format->name;
    US_TRY_ALLOC(fresh->location = us_format("%s", location));
    US_TRY(format->read(location, options, &defects, fresh));
    US_TRY(us_dataset_hash(fresh));
    US_TRY(us_duplicates_find(fresh));
    if (fresh->std[0] == 0)
        us_dataset_measure(fresh);
    *dataset = fresh;
    fresh = NULL;
out:
    unseen_dataset_close(fresh);
    return st;
}
