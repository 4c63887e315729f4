#include "config.h"

#include "datasets/folder/imagenet.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/text.h"
#include "datasets/folder/label_list.h"
#include "datasets/folder/synsets.h"
#include "datasets/store/source.h"

enum kind { NONE, OF_CLASSES, OF_A_CLASS, OF_VAL };

/* An archive whose members take its place. */
struct tar {
    const char *path;      /* of the file that it lies in */
    struct us_place place; /* in that file */
    char *prefix;          /* what stands before the names of its members */
};

static enum kind kind_of(const char *name)
{
    const char *base = us_base_name(name);
    if (strcmp(base, "ILSVRC2012_img_train.tar") == 0)
        return OF_CLASSES;
    if (strcmp(base, "ILSVRC2012_img_val.tar") == 0)
        return OF_VAL;
    size_t digits = 0;
    while (*base == 'n' && us_is_digit(base[1 + digits]))
        digits++;
    return digits == 8 && strcmp(base + 9, ".tar") == 0 ? OF_A_CLASS : NONE;
}

bool us_is_imagenet_tar(const char *name)
{
    return kind_of(name) != NONE;
}

/* Where the folder of `name` ends. */
static int folder_size(const char *name)
{
    return (int)(us_base_name(name) - name);
}

/* Whether something is in the folder, which ends with '/'; names are sorted. */
static bool has_folder(const struct us_names *names, size_t n, const char *folder)
{
    size_t first = 0, last = n;
    while (first < last) {
        const size_t middle = first + (last - first) / 2;
        if (strcmp(us_name(names, middle), folder) < 0)
            first = middle + 1;
        else
            last = middle;
    }
    first += first < n && strcmp(us_name(names, first), folder) == 0;
    return first < n && strncmp(us_name(names, first), folder, strlen(folder)) == 0;
}

static enum unseen_status refuse_packed(const char *path, const char *name)
{
    us_fail(UNSEEN_BAD_DATA, path, "%s is compressed, and is read by offsets only as a plain tar", name);
    us_hint("unpack it, or take its compression off");
    return UNSEEN_BAD_DATA;
}

/* Add the members of a tar: images, or tars of one class each. */
static enum unseen_status expand(const struct tar *tar, bool of_classes, struct us_names *names)
{
    struct us_source *source = NULL;
    const char *name = NULL;
    struct us_place place;
    bool packed;
    enum unseen_status st;
    US_TRY(us_source_open_piece(tar->path, tar->place.offset, tar->place.size, &source));
    for (;;) {
        US_TRY(us_interrupted() ? us_fail(UNSEEN_INTERRUPTED, tar->path, "interrupted") : UNSEEN_OK);
        US_TRY(us_source_next(source, &name));
        if (!name)
            break;
        if (name[strlen(name) - 1] == '/')
            continue;
        us_source_place(source, &place, &packed);
        if (packed) {
            st = refuse_packed(tar->path, name);
            goto out;
        }
        if (place.file != US_LINK)
            place.file = tar->place.file;
        const char *base = us_base_name(name);
        struct tar member = {.path = tar->path, .place = place};
        member.prefix = of_classes ? us_format("%s%.*s/", tar->prefix, (int)strcspn(base, "."), base)
                                   : us_format("%s%s", tar->prefix, base);
        US_TRY_ALLOC(member.prefix);
        st = of_classes ? expand(&member, false, names) : us_names_add(names, member.prefix, &place);
        free(member.prefix);
        US_TRY(st);
    }
out:
    us_source_close(source);
    return st;
}

/* The folder that the archive stands for, in fresh memory. */
static char *prefix_of(const char *name, enum kind kind)
{
    static const char *const folders[] = {[OF_CLASSES] = "train/", [OF_VAL] = "val/"};
    if (kind == OF_A_CLASS)
        return us_format("%.*s/", (int)(strlen(name) - strlen(".tar")), name);
    return us_format("%.*s%s", folder_size(name), name, folders[kind]);
}

static enum unseen_status expand_entry(const char *location, struct us_store *store, struct us_names *names,
                                       size_t n, size_t i)
{
    const enum kind kind = kind_of(us_name(names, i));
    struct tar tar = {.place = names->list[i].place, .prefix = prefix_of(us_name(names, i), kind)};
    char *path =
        us_is_folder(location) ? us_format("%s/%s", location, us_name(names, i)) : us_format("%s", location);
    enum unseen_status st = UNSEEN_OK;
    if (!path || !tar.prefix) {
        st = UNSEEN_FAILED;
    } else if (!has_folder(names, n, tar.prefix)) {
        tar.path = path;
        if (tar.place.file == US_OWN_FILE)
            st = us_store_add(store, path, false, &tar.place.file);
        else if (us_store_files(store, &(int32_t){0})[tar.place.file].packed)
            st = refuse_packed(path, us_name(names, i));
        if (st == UNSEEN_OK)
            st = expand(&tar, kind == OF_CLASSES, names);
    }
    free(path);
    free(tar.prefix);
    return st;
}

enum unseen_status us_imagenet_expand(const char *location, struct us_store *store, struct us_names *names)
{
    const size_t n = names->n;
    enum unseen_status st = UNSEEN_OK;
    for (size_t i = 0; i < n && st == UNSEEN_OK; i++) {
        if (kind_of(us_name(names, i)) != NONE && names->list[i].place.file != US_LINK)
            st = expand_entry(location, store, names, n, i);
    }
    if (st == UNSEEN_OK && names->n > n)
        us_names_sort(names);
    return st;
}

/* The first name with this base name that lies in no deeper folder than `within` (NULL: at any depth). */
static const char *find_text(const struct us_names *names, const char *base, const char *within)
{
    for (size_t i = 0; i < names->n; i++) {
        const char *name = us_name(names, i);
        const size_t folder = (size_t)folder_size(name);
        if (strcmp(name + folder, base) == 0 && (!within || strncmp(name, within, folder) == 0))
            return name;
    }
    return NULL;
}

/* ImageSets/CLS-LOC/val.txt, which Kaggle's download has, numbers the images and tells no labels: val.txt
 * counts in the images' folder and those above it. */
static const char *find_labels(const struct us_unsorted *unsorted)
{
    const char *found = find_text(unsorted->names, "val.txt", unsorted->images[0]);
    if (!found)
        found = find_text(unsorted->names, "LOC_val_solution.csv", NULL);
    return found ? found : find_text(unsorted->names, "ILSVRC2012_validation_ground_truth.txt", NULL);
}

static enum unseen_status read_map(const struct us_unsorted *unsorted, struct us_synsets *synsets, char **map)
{
    static const char *const texts[] = {"map_clsloc.txt", "meta.txt"};
    const char *name = NULL;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && !name; i++)
        name = find_text(unsorted->names, texts[i], NULL);
    if (!name)
        return UNSEEN_OK;
    if (!(*map = us_format("%s/%s", unsorted->location, name)))
        return UNSEEN_FAILED;
    return us_synsets_read(*map, synsets);
}

enum unseen_status us_imagenet_labels(const struct us_unsorted *unsorted, int32_t *labels, char **file,
                                      char **map)
{
    struct us_synsets synsets = {0};
    const char **bases = NULL;
    const char *name = us_is_folder(unsorted->location) ? find_labels(unsorted) : NULL;
    enum unseen_status st = UNSEEN_OK;
    *file = *map = NULL;
    if (!name)
        return UNSEEN_OK;
    US_TRY_ALLOC(*file = us_format("%s/%s", unsorted->location, name));
    US_TRY(read_map(unsorted, &synsets, map));
    US_TRY_ALLOC(bases = us_calloc((size_t)unsorted->n, sizeof *bases));
    for (int64_t i = 0; i < unsorted->n; i++)
        bases[i] = us_base_name(unsorted->images[i]);
    const struct us_label_list list = {.file = *file,
                                       .classes = unsorted->classes,
                                       .n_classes = unsorted->n_classes,
                                       .synsets = *map ? &synsets : NULL};
    US_TRY(us_label_list_read(&list, bases, unsorted->n, labels));
out:
    free(bases);
    us_synsets_free(&synsets);
    return st;
}

char *us_imagenet_words(const char *location, const struct us_names *names)
{
    static const char *const texts[] = {"LOC_synset_mapping.txt", "synset_words.txt", "map_clsloc.txt"};
    const char *name = NULL;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && !name; i++)
        name = find_text(names, texts[i], NULL);
    return name && us_is_folder(location) ? us_format("%s/%s", location, name) : NULL;
}

char *us_imagenet_class(const char *name, const char *words)
{
    return us_format("%s %.*s", name, (int)strcspn(words, ","), words);
}
