/* A tree of image files: which folders are classes and which files are samples, from names alone.
 *
 *     [PREFIX/]train/CLASS/[FOLDERS/]NAME.jpg   with val/ or test/ beside train/, or
 *     [PREFIX/]CLASS/[FOLDERS/]NAME.jpg         a training split alone
 *
 * Classes and samples come in the order of torchvision's ImageFolder: classes sorted by the bytes of their
 * names, samples by class, then by the folder that holds them, then by the name of the file. A class is a
 * folder of the training split, also if it holds no image. */
#ifndef US_DATASETS_TREE_H
#define US_DATASETS_TREE_H

#include <stdint.h>

#include "base/status.h"
#include "unseen/dataset.h"

/* One sample. */
struct us_picture {
    char *path;      /* as the source names it */
    size_t class_at; /* where its class begins in `path` */
    enum unseen_split split;
    int32_t label;
    int64_t index; /* in its split */
};

struct us_tree {
    char **classes; /* [n_classes] */
    int n_classes;
    struct us_picture *pictures;       /* [n[0] + n[1]], the training split first, in sample order */
    const struct us_picture **by_path; /* the same, sorted by path */
    int64_t n[2];                      /* by enum unseen_split */
};

/* True for the extensions that torchvision takes for images, in upper or lower case. Whether the file is one
 * of the kinds that can be decoded is seen from its contents. */
bool us_is_image_name(const char *name);

/* How sure a file's name makes that its folder or archive is such a tree: 0 no, 1 perhaps, 2 certainly. */
int us_tree_probe(const char *name);

/* Look at the names in `location`. What is left out without being an image of the data (other files, hidden
 * names, images outside of class folders, empty classes) is told in the log. UNSEEN_BAD_DATA, with a hint, if
 * the names make no dataset. Freed with us_tree_free also after a failure; `tree` is zeroed by the caller. */
enum unseen_status us_tree_read(const char *location, struct us_tree *tree);
void us_tree_free(struct us_tree *tree);

/* The picture of this path, or NULL. */
const struct us_picture *us_tree_find(const struct us_tree *tree, const char *path);

#endif
