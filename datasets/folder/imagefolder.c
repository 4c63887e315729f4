#include "config.h"

#include "datasets/folder/imagefolder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/folder/imagenet.h"
#include "datasets/folder/synsets.h"
#include "datasets/folder/tree.h"
#include "datasets/index/index.h"

/* Every folder of the tree, and the one that holds it, at `whole`. */
static enum unseen_status add_witnesses(const char *whole, const struct us_place *root,
                                        const struct us_names *names, struct us_index *index)
{
    enum unseen_status st;
    US_TRY(us_index_witness(index, whole, root));
    for (size_t i = 0; i < names->n; i++) {
        const char *name = us_name(names, i);
        const size_t length = strlen(name);
        if (name[length - 1] != '/')
            continue;
        char *path = us_format("%s/%.*s", whole, (int)length - 1, name);
        US_TRY_ALLOC(path);
        st = us_index_witness(index, path, &names->list[i].place);
        free(path);
        US_TRY(st);
    }
out:
    return st;
}

/* Classes, with what a text beside the images calls them if it knows all of them. */
static enum unseen_status add_classes(const char *location, const struct us_tree *tree,
                                      struct us_index *index)
{
    struct us_synsets synsets = {0};
    char *words = us_imagenet_words(location, &tree->names);
    bool known = words != NULL;
    enum unseen_status st = UNSEEN_OK;
    if (words) {
        US_TRY(us_index_watch(index, words));
        US_TRY(us_synsets_read(words, &synsets));
    }
    for (int c = 0; c < tree->n_classes && known; c++)
        known = us_synset_find(&synsets, tree->classes[c]) != NULL;
    for (int c = 0; c < tree->n_classes; c++) {
        const char *name = tree->classes[c];
        char *whole =
            known ? us_imagenet_class(name, us_synset_find(&synsets, name)->words) : us_format("%s", name);
        US_TRY_ALLOC(whole);
        st = us_index_class(index, whole);
        free(whole);
        US_TRY(st);
    }
out:
    us_synsets_free(&synsets);
    free(words);
    return st;
}

static enum unseen_status list_imagefolder(const char *location, struct us_index *index)
{
    struct us_tree tree = {0};
    struct stat about;
    enum unseen_status st = UNSEEN_OK;
    if (stat(location, &about) != 0)
        return us_fail(UNSEEN_BAD_DATA, location, "%s", strerror(errno));
    const struct us_place root = us_place_of(&about);
    US_TRY(us_store_new(location, &index->store));
    US_TRY(us_tree_read(location, index->store, &tree));
    for (int64_t i = 0; i < tree.n[UNSEEN_TRAIN] + tree.n[UNSEEN_TEST]; i++) {
        const struct us_picture *picture = &tree.pictures[i];
        index->class_at[picture->split] = picture->class_at;
        US_TRY(us_index_add(index, picture->split, picture->path, picture->label, &picture->place));
    }
    US_TRY(add_classes(location, &tree, index));
    for (int i = 0; i < US_TREE_TEXTS; i++) {
        if (tree.texts[i])
            US_TRY(us_index_watch(index, tree.texts[i]));
    }
    US_TRY(add_witnesses(us_store_folder(index->store), &root, &tree.names, index));
    index->notes = tree.notes;
    tree.notes = (struct us_text){0};
    US_TRY(us_index_note_empty(index, location));
out:
    us_tree_free(&tree);
    return st;
}

static enum us_sure probe(const char *name)
{
    const int sure = us_tree_probe(name);
    return us_is_imagenet_tar(name) || sure == 2 ? US_CERTAINLY : sure == 1 ? US_PERHAPS : US_NOT;
}

const struct us_dataset_format us_format_imagefolder = {
    .name = "imagefolder",
    .argument = "DIR",
    .looked_for = "train|val|test/CLASS/*.jpg|*.png, CLASS/*.jpg|*.png",
    .probe = probe,
    .list = list_imagefolder,
    .measure = us_imagefolder_measure,
    .write = us_imagefolder_write,
};
