#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "datasets/format.h"
#include "datasets/jpeg.h"
#include "datasets/source.h"

/* The folders that hold a split. */
enum tree { TRAIN_TREE, VAL_TREE, TEST_TREE, N_TREES };

static const char *const tree_names[N_TREES] = {"train", "val", "test"};

/* "[PREFIX/]train/CLASS/FILE.jpg", taken apart. */
struct picture {
    char *path;
    enum tree tree;
    size_t root;       /* where the tree's name begins in `path` */
    size_t class_at;   /* where the class begins */
    size_t class_size; /* its length; the file's name is behind it and a '/' */
    size_t slot;       /* which of the decoded images */
};

struct reading {
    const char *location;
    struct us_defects *defects;
    struct us_jpeg *decoder;
    struct picture *pictures;
    size_t n, capacity;
    int height, width;
    uint8_t *pixels;
    size_t slots, pixel_bytes;
    int64_t others; /* files in class folders that are no JPEGs */
};

static bool is_jpeg_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0);
}

/* True, with all but `slot` filled in (path: the name itself), for a file of a class folder. */
static bool take_apart(const char *name, struct picture *picture)
{
    size_t ends[3]; /* the last three slashes: behind the class, the tree, what is before it */
    size_t found = 0;
    for (size_t i = strlen(name); i > 0 && found < 3; i--) {
        if (name[i - 1] == '/')
            ends[found++] = i - 1;
    }
    if (found < 2)
        return false;
    picture->root = found == 3 ? ends[2] + 1 : 0;
    picture->class_at = ends[1] + 1;
    picture->class_size = ends[0] - picture->class_at;
    size_t length = ends[1] - picture->root;
    for (int tree = 0; tree < N_TREES; tree++) {
        if (strlen(tree_names[tree]) == length &&
            memcmp(name + picture->root, tree_names[tree], length) == 0) {
            picture->tree = (enum tree)tree;
            return true;
        }
    }
    return false;
}

bool us_imagefolder_probe(const char *file)
{
    struct picture picture;
    return is_jpeg_name(file) && take_apart(file, &picture) && picture.tree == TRAIN_TREE;
}

/* Room for one more picture and its pixels. */
static enum unseen_status reserve(struct reading *reading)
{
    if (reading->n == reading->capacity) {
        size_t capacity = reading->capacity ? 2 * reading->capacity : 1024;
        struct picture *grown = us_realloc(reading->pictures, capacity, sizeof *grown);
        if (!grown)
            return UNSEEN_FAILED;
        reading->pictures = grown;
        reading->capacity = capacity;
    }
    size_t needed = (reading->slots + 1) * (size_t)reading->height * (size_t)reading->width * 3;
    if (needed > reading->pixel_bytes) {
        size_t bytes = needed > 2 * reading->pixel_bytes ? needed : 2 * reading->pixel_bytes;
        uint8_t *grown = us_realloc(reading->pixels, bytes, 1);
        if (!grown)
            return UNSEEN_FAILED;
        reading->pixels = grown;
        reading->pixel_bytes = bytes;
    }
    return UNSEEN_OK;
}

static enum unseen_status add_picture(struct reading *reading, struct picture picture, const char *name)
{
    picture.path = us_format("%s", name);
    if (!picture.path)
        return UNSEEN_FAILED;
    reading->pictures[reading->n++] = picture;
    return UNSEEN_OK;
}

/* The first good image decides the size; every other one has to have it. */
static enum unseen_status check_size(struct reading *reading, const char *name, int height, int width,
                                     bool *fits)
{
    if (reading->n == 0) {
        reading->height = height;
        reading->width = width;
    }
    *fits = height == reading->height && width == reading->width;
    if (*fits)
        return UNSEEN_OK;
    enum unseen_status st =
        us_defect(reading->defects, reading->location, name, -1, "is %dx%d pixels, but %s is %dx%d", width,
                  height, reading->pictures[0].path, reading->width, reading->height);
    if (st != UNSEEN_OK)
        us_hint("make all images one size first, e.g. mogrify -resize 64x64^ -gravity center -extent 64x64");
    return st;
}

/* Decode one file behind the others. When verifying, all pixels go to the first slot: a dataset that is too
 * large for memory can be checked too. */
static enum unseen_status add_file(struct reading *reading, struct us_source *source, struct picture picture,
                                   const char *name)
{
    const uint8_t *bytes = NULL;
    size_t size = 0;
    int height = 0, width = 0;
    bool fits = false;
    enum unseen_status st;
    reading->defects->checked++;
    US_TRY(us_source_read(source, &bytes, &size));
    if (!us_jpeg_size(reading->decoder, bytes, size, &height, &width))
        return us_defect(reading->defects, reading->location, name, -1, "%s",
                         us_jpeg_reason(reading->decoder));
    US_TRY(check_size(reading, name, height, width, &fits));
    if (!fits)
        return UNSEEN_OK;
    US_TRY(reserve(reading));
    uint8_t *pixels = reading->pixels + reading->slots * (size_t)height * (size_t)width * 3;
    if (!us_jpeg_decode(reading->decoder, bytes, size, pixels))
        return us_defect(reading->defects, reading->location, name, -1, "%s",
                         us_jpeg_reason(reading->decoder));
    picture.slot = reading->slots;
    if (!reading->defects->go_on)
        reading->slots++;
    st = add_picture(reading, picture, name);
out:
    return st;
}

static enum unseen_status read_files(struct reading *reading, struct us_source *source)
{
    const char *name = NULL;
    for (;;) {
        struct picture picture = {0};
        enum unseen_status st = us_source_next(source, &name);
        if (st == UNSEEN_OK)
            st = us_dataset_go_on(reading->location);
        if (st != UNSEEN_OK || !name)
            return st;
        if (name[strlen(name) - 1] == '/' || !take_apart(name, &picture))
            continue;
        if (!is_jpeg_name(name)) {
            if (reading->others++ == 0)
                us_log(UNSEEN_LOG_WARNING, "%s: %s is no JPEG file and is left out, as are others like it",
                       reading->location, name);
            continue;
        }
        st = add_file(reading, source, picture, name);
        if (st != UNSEEN_OK)
            return st;
    }
}

static int compare_classes(const struct picture *a, const struct picture *b)
{
    size_t shorter = a->class_size < b->class_size ? a->class_size : b->class_size;
    int order = memcmp(a->path + a->class_at, b->path + b->class_at, shorter);
    if (order != 0)
        return order;
    return (a->class_size > b->class_size) - (a->class_size < b->class_size);
}

static int compare_pictures(const void *first, const void *second)
{
    const struct picture *a = first, *b = second;
    if (a->tree != b->tree)
        return a->tree < b->tree ? -1 : 1;
    int order = compare_classes(a, b);
    return order != 0 ? order : strcmp(us_base_name(a->path), us_base_name(b->path));
}

static int compare_by_class(const void *first, const void *second)
{
    return compare_classes(*(const struct picture *const *)first, *(const struct picture *const *)second);
}

/* Two trees of one name, or one file twice (tar can hold that), would be counted as one dataset. */
static enum unseen_status check_paths(const struct reading *reading)
{
    for (size_t i = 1; i < reading->n; i++) {
        const struct picture *a = &reading->pictures[i - 1], *b = &reading->pictures[i];
        if (a->tree != b->tree)
            continue;
        if (a->root != b->root || memcmp(a->path, b->path, a->root) != 0)
            return us_fail(UNSEEN_BAD_DATA, reading->location, "%s and %s lie in two %s folders", a->path,
                           b->path, tree_names[a->tree]);
        if (strcmp(a->path, b->path) == 0)
            return us_fail(UNSEEN_BAD_DATA, reading->location, "%s is there twice", a->path);
    }
    return UNSEEN_OK;
}

/* How many pictures of the sorted list lie in `tree`, and where they begin. */
static size_t count(const struct reading *reading, enum tree tree, size_t *begin)
{
    size_t n = 0;
    *begin = 0;
    for (size_t i = 0; i < reading->n; i++) {
        n += reading->pictures[i].tree == tree;
        *begin += reading->pictures[i].tree < tree;
    }
    return n;
}

/* The classes of both splits together, so that a class that pruning emptied keeps its number; `firsts` holds
 * one picture of each, sorted by name. */
static enum unseen_status find_classes(const struct reading *reading, enum tree test,
                                       const struct picture ***firsts, int *classes)
{
    const struct picture **list = us_calloc(reading->n, sizeof *list);
    size_t n = 0, unique = 0;
    if (!list)
        return UNSEEN_FAILED;
    for (size_t i = 0; i < reading->n; i++) {
        const struct picture *picture = &reading->pictures[i];
        bool used = picture->tree == TRAIN_TREE || picture->tree == test;
        if (used && (n == 0 || compare_classes(list[n - 1], picture) != 0))
            list[n++] = picture;
    }
    qsort(list, n, sizeof *list, compare_by_class);
    for (size_t i = 0; i < n; i++) {
        if (unique == 0 || compare_classes(list[unique - 1], list[i]) != 0)
            list[unique++] = list[i];
    }
    *firsts = list;
    *classes = (int)unique;
    return UNSEEN_OK;
}

static enum unseen_status name_classes(const struct picture *const *firsts, int classes,
                                       struct unseen_dataset *dataset)
{
    enum unseen_status st = UNSEEN_OK;
    char **names = us_calloc((size_t)classes, sizeof *names);
    US_TRY_ALLOC(names);
    for (int i = 0; i < classes; i++)
        US_TRY_ALLOC(
            names[i] = us_format("%.*s", (int)firsts[i]->class_size, firsts[i]->path + firsts[i]->class_at));
    st = us_class_names(dataset, (const char *const *)names, classes);
out:
    for (int i = 0; names && i < classes; i++)
        free(names[i]);
    free(names);
    return st;
}

/* Copy the tree's images into dataset order. */
static enum unseen_status fill_split(const struct reading *reading, enum tree tree,
                                     const struct picture *const *firsts, int classes,
                                     struct unseen_images *images)
{
    size_t begin = 0, n = count(reading, tree, &begin);
    size_t bytes = (size_t)reading->height * (size_t)reading->width * 3;
    uint8_t *pixels = NULL;
    int32_t *labels = NULL;
    int label = 0;
    enum unseen_status st = us_images_make(images, (int64_t)n, bytes, &pixels, &labels);
    if (st != UNSEEN_OK)
        return st;
    char **paths = us_calloc(n, sizeof *paths);
    images->paths = paths;
    if (!paths)
        return UNSEEN_FAILED;
    for (size_t i = 0; i < n; i++) {
        const struct picture *picture = &reading->pictures[begin + i];
        while (label < classes - 1 && compare_classes(firsts[label], picture) != 0)
            label++;
        labels[i] = label;
        memcpy(pixels + i * bytes, reading->pixels + picture->slot * bytes, bytes);
        if (!(paths[i] = us_format("%s", picture->path)))
            return UNSEEN_FAILED;
    }
    return UNSEEN_OK;
}

static enum unseen_status assemble(struct reading *reading, struct unseen_dataset *dataset)
{
    const struct picture **firsts = NULL;
    int classes = 0;
    size_t begin = 0;
    bool has_val = count(reading, VAL_TREE, &begin) > 0, has_test = count(reading, TEST_TREE, &begin) > 0;
    enum tree test = has_val ? VAL_TREE : TEST_TREE;
    enum unseen_status st;
    if (has_val && has_test)
        us_log(UNSEEN_LOG_WARNING, "%s: both val and test are there; val is the test split",
               reading->location);
    dataset->height = reading->height;
    dataset->width = reading->width;
    dataset->channels = 3;
    US_TRY(find_classes(reading, test, &firsts, &classes));
    US_TRY(name_classes(firsts, classes, dataset));
    US_TRY(fill_split(reading, TRAIN_TREE, firsts, classes, &dataset->split[UNSEEN_TRAIN]));
    US_TRY(fill_split(reading, test, firsts, classes, &dataset->split[UNSEEN_TEST]));
out:
    free(firsts);
    return st;
}

enum unseen_status us_imagefolder_read(const char *location, const struct unseen_dataset_options *options,
                                       struct us_defects *defects, struct unseen_dataset *dataset)
{
    struct reading reading = {.location = location, .defects = defects};
    struct us_source *source = NULL;
    size_t begin = 0;
    enum unseen_status st;
    (void)options;
    US_TRY(us_source_open(location, &source));
    US_TRY(us_jpeg_open(&reading.decoder));
    US_TRY(read_files(&reading, source));
    if (reading.n > 0)
        qsort(reading.pictures, reading.n, sizeof *reading.pictures, compare_pictures);
    US_TRY(check_paths(&reading));
    if (count(&reading, TRAIN_TREE, &begin) == 0) {
        st = us_fail(UNSEEN_BAD_DATA, location,
                     "holds no JPEG file that can be read as train/<class>/<name>.jpg");
        goto out;
    }
    if (!defects->go_on)
        US_TRY(assemble(&reading, dataset));
out:
    for (size_t i = 0; i < reading.n; i++)
        free(reading.pictures[i].path);
    free(reading.pictures);
    free(reading.pixels);
    us_jpeg_close(reading.decoder);
    us_source_close(source);
    return st;
}
