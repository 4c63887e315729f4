/* A tree of image files: which folders are classes and which files are samples, from names alone.
 *
 *     [PREFIX/]train/CLASS/[FOLDERS/]NAME.jpg   with val/ or test/ beside train/, or
 *     [PREFIX/]CLASS/[FOLDERS/]NAME.jpg         a training split alone
 *
 * Classes and samples come in the order of torchvision's ImageFolder: classes sorted by the bytes of their
 * names, samples by class, then by the folder that holds them, then by the name of the file. A class is a
 * folder of the training split, also if it holds no image. Archives of ImageNet are read as if they were
 * unpacked, and a test split without class folders by a list of its labels (datasets/imagenet.h). */
#ifndef US_DATASETS_TREE_H
#define US_DATASETS_TREE_H

#include <stdint.h>

#include "base/status.h"
#include "datasets/names.h"
#include "datasets/store/store.h"
#include "unseen/dataset.h"

/* One sample. */
struct us_picture {
    const char *path; /* as the source names it */
    size_t class_at;  /* where its class begins in `path` */
    struct us_place place;
    enum unseen_split split;
    int32_t label;
};

enum { US_TREE_LABELS, US_TREE_LABEL_NUMBERS, US_TREE_TEXTS };

struct us_tree {
    char **classes; /* [n_classes] */
    int n_classes;
    struct us_picture *pictures; /* [n[0] + n[1]], the training split first, in sample order */
    int64_t n[2];                /* by enum unseen_split */
    struct us_names names;       /* all that the source names, sorted by bytes; folders end with '/' */
    struct us_text notes; /* what is left out without being an image of the data: other files, hidden names,
                             images outside of class folders (datasets/notes.h) */
    char *texts[US_TREE_TEXTS]; /* files beside the images that were read; NULL: none was */
};

/* How sure a file's name makes that its folder or archive is such a tree: 0 no, 1 perhaps, 2 certainly. */
int us_tree_probe(const char *name);

/* Look at the names in `location`, and at where files lie in `store` (NULL: nowhere). UNSEEN_BAD_DATA, with a
 * hint, if the names make no dataset. Freed with us_tree_free also after a failure; `tree` is zeroed by the
 * caller. */
enum unseen_status us_tree_read(const char *location, struct us_store *store, struct us_tree *tree);
void us_tree_free(struct us_tree *tree);

#endif
