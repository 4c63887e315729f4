/* WebDataset: tar files in which a sample is some members that follow each other and have one name up to the
 * first
 * '.': KEY.jpg (jpeg, png, webp, ppm) and KEY.cls, its class as a number. Other members are not used. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/lines.h"
#include "base/text.h"
#include "datasets/format.h"
#include "datasets/index/index.h"
#include "datasets/index/notes.h"
#include "datasets/list/braces.h"
#include "datasets/list/shards.h"
#include "datasets/store/source.h"

enum { CLASSES_MOST = 65536, DIGITS = 16 };

struct listing {
    const char *location;
    struct us_index *index;
    enum unseen_split split; /* of the current shard */
    const struct us_shard *shard;
    int32_t largest;    /* label */
    int64_t incomplete; /* samples that lack an image or a class */
    char *first;        /* of them, in words */
    /* The sample whose members are being met: */
    char *key; /* NULL: none yet */
    char *image;
    struct us_place place; /* of the image */
    int32_t label;         /* -1: none yet */
};

/* Where the extension of a member begins, behind the first '.' of its last part; NULL if there is none. */
static const char *extension_of(const char *name)
{
    const char *dot = strchr(us_base_name(name), '.');
    return dot ? dot + 1 : NULL;
}

static bool is_image(const char *extension)
{
    static const char *const extensions[] = {"jpg", "jpeg", "png", "webp", "ppm"};
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        if (us_same_letters(extension, extensions[i]))
            return true;
    }
    return false;
}

static void forget_sample(struct listing *l)
{
    free(l->key);
    free(l->image);
    l->key = l->image = NULL;
    l->label = -1;
}

/* The members of a sample are all met. One of neither an image nor a class, as of a text beside the data, is
 * none. */
static enum unseen_status end_sample(struct listing *l)
{
    enum unseen_status st = UNSEEN_OK;
    if (l->key && (l->image || l->label >= 0)) {
        if (l->image && l->label >= 0)
            st = us_index_add(l->index, l->split, l->image, l->label, &l->place);
        else if (l->incomplete++ == 0 &&
                 !(l->first = us_format("%s has no %s", l->key, l->image ? ".cls" : "image")))
            st = UNSEEN_FAILED;
    }
    forget_sample(l);
    return st;
}

static enum unseen_status begin_sample(struct listing *l, const char *name, size_t size)
{
    if (l->key && strlen(l->key) == strlen(l->shard->name) + 1 + size &&
        strncmp(l->key + strlen(l->shard->name) + 1, name, size) == 0)
        return UNSEEN_OK;
    enum unseen_status st = end_sample(l);
    if (st == UNSEEN_OK && !(l->key = us_format("%s/%.*s", l->shard->name, (int)size, name)))
        st = UNSEEN_FAILED;
    return st;
}

static enum unseen_status take_class(struct listing *l, const uint8_t *bytes, size_t size)
{
    int64_t label = 0;
    size_t at = 0, digits;
    while (at < size && us_is_space((char)bytes[at]))
        at++;
    for (digits = at; at < size && us_is_digit((char)bytes[at]) && label < CLASSES_MOST; at++)
        label = 10 * label + (bytes[at] - '0');
    digits = at - digits;
    while (at < size && us_is_space((char)bytes[at]))
        at++;
    if (digits == 0 || at < size || label >= CLASSES_MOST)
        return us_fail(UNSEEN_BAD_DATA, l->location, "%s.cls: '%.*s' is no number of a class, 0..%d", l->key,
                       (int)(size < DIGITS ? size : DIGITS), (const char *)bytes, CLASSES_MOST - 1);
    if (l->label >= 0)
        return us_fail(UNSEEN_BAD_DATA, l->location, "%s has two classes", l->key);
    l->label = (int32_t)label;
    l->largest = l->label > l->largest ? l->label : l->largest;
    return UNSEEN_OK;
}

static enum unseen_status take_image(struct listing *l, struct us_source *source, const char *name)
{
    if (l->image)
        return us_fail(UNSEEN_BAD_DATA, l->location, "%s has two images", l->key);
    if (!(l->image = us_format("%s/%s", l->shard->name, name)))
        return UNSEEN_FAILED;
    return us_store_place(l->index->store, source, name, &l->place);
}

static enum unseen_status take_member(struct listing *l, struct us_source *source, const char *name)
{
    const char *extension = extension_of(name);
    const uint8_t *bytes = NULL;
    size_t size = 0;
    enum unseen_status st = UNSEEN_OK;
    if (!extension || name[strlen(name) - 1] == '/')
        return UNSEEN_OK;
    US_TRY(begin_sample(l, name, (size_t)(extension - name) - 1));
    if (is_image(extension))
        return take_image(l, source, name);
    if (us_same_letters(extension, "cls")) {
        US_TRY(us_source_read(source, &bytes, &size));
        US_TRY(take_class(l, bytes, size));
    }
out:
    return st;
}

static enum unseen_status list_shard(struct listing *l, const struct us_shard *shard)
{
    struct us_source *source = NULL;
    const char *name = NULL;
    enum unseen_status st;
    l->shard = shard;
    US_TRY(us_source_open(shard->path, &source));
    for (;;) {
        US_TRY(us_dataset_go_on(l->location));
        US_TRY(us_source_next(source, &name));
        if (!name)
            break;
        US_TRY(take_member(l, source, name));
    }
    US_TRY(end_sample(l));
out:
    us_source_close(source);
    return st;
}

/* Shards of that split. */
static enum unseen_status list_shards(struct listing *l, const struct us_shards *shards,
                                      enum us_shard_split of, enum unseen_split split)
{
    enum unseen_status st = UNSEEN_OK;
    l->split = split;
    for (int i = 0; i < shards->n && st == UNSEEN_OK; i++) {
        if (shards->list[i].split == of)
            st = list_shard(l, &shards->list[i]);
    }
    return st;
}

static int count(const struct us_shards *shards, enum us_shard_split split)
{
    int n = 0;
    for (int i = 0; i < shards->n; i++)
        n += shards->list[i].split == split;
    return n;
}

/* Without a shard that is called train, those that are called nothing are the training split. */
static enum unseen_status list_splits(struct listing *l, const struct us_shards *shards)
{
    const int train = count(shards, US_SHARD_TRAIN), others = count(shards, US_SHARD_NONE);
    const int val = count(shards, US_SHARD_VAL), test = count(shards, US_SHARD_TEST);
    enum unseen_status st = UNSEEN_OK;
    if (train == 0 && others == 0) {
        us_fail(UNSEEN_BAD_DATA, l->location, "holds %s, but no shard of a training split",
                shards->list[0].name);
        us_hint("shards are sorted by the words train, val and test in their names");
        return UNSEEN_BAD_DATA;
    }
    if (train > 0 && others > 0)
        US_TRY(us_note(&l->index->notes, UNSEEN_LOG_WARNING,
                       "%s: shards whose names tell no split are left out: %d", l->location, others));
    if (val > 0 && test > 0)
        US_TRY(us_note(&l->index->notes, UNSEEN_LOG_WARNING,
                       "%s: both val and test are there; val is the test split", l->location));
    US_TRY(list_shards(l, shards, train > 0 ? US_SHARD_TRAIN : US_SHARD_NONE, UNSEEN_TRAIN));
    US_TRY(list_shards(l, shards, val > 0 ? US_SHARD_VAL : US_SHARD_TEST, UNSEEN_TEST));
out:
    return st;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A name stands for one sample, as subsets and tables of scores take it. */
static enum unseen_status check_twice(const struct listing *l)
{
    const int64_t n = l->index->n[UNSEEN_TRAIN] + l->index->n[UNSEEN_TEST];
    enum unseen_status st = UNSEEN_OK;
    const char **names = us_calloc((size_t)n, sizeof *names);
    if (!names)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < n; i++)
        names[i] = us_index_name(l->index, i);
    qsort(names, (size_t)n, sizeof *names, compare_names);
    for (int64_t i = 1; i < n && st == UNSEEN_OK; i++) {
        if (strcmp(names[i], names[i - 1]) == 0)
            st = us_fail(UNSEEN_BAD_DATA, l->location, "%s is there twice", names[i]);
    }
    free(names);
    return st;
}

static enum unseen_status check_samples(const struct listing *l)
{
    if (l->incomplete > 0)
        return us_fail(UNSEEN_BAD_DATA, l->location, "%s; samples that lack an image or a class: %lld",
                       l->first, (long long)l->incomplete);
    if (l->index->n[UNSEEN_TRAIN] > 0)
        return check_twice(l);
    us_fail(UNSEEN_BAD_DATA, l->location, "holds no training sample");
    us_hint("a sample is KEY.jpg (.jpeg, .png, .webp) and KEY.cls, one behind the other in a .tar");
    return UNSEEN_BAD_DATA;
}

/* The folder that the shards lie in, as far as the location tells. Fresh memory. */
static char *folder_of(const char *location)
{
    if (us_is_folder(location))
        return us_format("%s", location);
    const size_t before = strcspn(location, "{");
    size_t at = before;
    while (at > 0 && location[at - 1] != '/')
        at--;
    return at > 0 ? us_format("%.*s", (int)at, location) : us_format(".");
}

/* A shard or a text of names that is added later changes the folder. */
static enum unseen_status watch_folder(struct listing *l)
{
    char *folder = folder_of(l->location);
    enum unseen_status st = folder ? us_index_watch(l->index, folder) : UNSEEN_FAILED;
    free(folder);
    return st;
}

/* Names from a text beside the shards, a class a line; or numbers. */
static enum unseen_status name_classes(struct listing *l)
{
    static const char *const files[] = {"classes.txt", "classnames.txt"};
    char *folder = folder_of(l->location), *path = NULL, *text = NULL, *line = NULL;
    enum unseen_status st = UNSEEN_OK;
    struct us_lines lines = {0};
    US_TRY_ALLOC(folder);
    for (size_t i = 0; i < sizeof files / sizeof *files && !text; i++) {
        free(path);
        US_TRY_ALLOC(path = us_format("%s/%s", folder, files[i]));
        if (us_exists(path)) {
            US_TRY(us_index_watch(l->index, path));
            US_TRY(us_read_text(path, &text));
        }
    }
    if (text) {
        lines = us_lines_of(text);
        while ((line = us_next_line(&lines)))
            US_TRY(us_index_class(l->index, line));
        if (l->index->n_classes <= l->largest)
            st = us_fail(UNSEEN_BAD_DATA, path, "names %d classes, but a label is %d", l->index->n_classes,
                         l->largest);
        goto out;
    }
    for (int c = 0; c <= l->largest; c++) {
        char number[32];
        us_print_to(number, sizeof number, US_CLASS_NUMBER, c);
        US_TRY(us_index_class(l->index, number));
    }
out:
    free(folder);
    free(path);
    free(text);
    return st;
}

static enum unseen_status list_webdataset(const char *location, struct us_index *index)
{
    struct listing l = {.location = location, .index = index, .largest = -1, .label = -1};
    struct us_shards shards = {0};
    enum unseen_status st;
    US_TRY(us_shards_find(location, &shards));
    US_TRY(watch_folder(&l));
    US_TRY(us_store_new(NULL, &index->store));
    US_TRY(list_splits(&l, &shards));
    US_TRY(check_samples(&l));
    US_TRY(name_classes(&l));
    US_TRY(us_index_note_empty(index, location));
out:
    forget_sample(&l);
    free(l.first);
    us_shards_free(&shards);
    return st;
}

static bool is_pattern(const char *path)
{
    return us_has_braces(path) && !us_exists(path);
}

static enum us_sure probe(const char *name)
{
    const char *extension = extension_of(name);
    if (extension && us_same_letters(extension, "cls"))
        return US_CERTAINLY;
    return us_is_shard_name(name) ? US_MAYBE : US_NOT;
}

const struct us_dataset_format us_format_webdataset = {
    .name = "webdataset",
    .argument = "DIR|PATTERN",
    .looked_for = "*.tar with KEY.jpg and KEY.cls",
    .probe = probe,
    .knows = is_pattern,
    .list = list_webdataset,
};
