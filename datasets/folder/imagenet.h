/* ImageNet as it is downloaded: archives within archives, images without class folders, and the texts beside
 * them. */
#ifndef US_DATASETS_IMAGENET_H
#define US_DATASETS_IMAGENET_H

#include "datasets/names.h"
#include "datasets/store/store.h"

/* True for an archive that us_imagenet_expand looks into, wherever it lies: ILSVRC2012_img_train.tar,
 * ILSVRC2012_img_val.tar, and those of one class, n01440764.tar. */
bool us_is_imagenet_tar(const char *name);

/* Put the members of such archives into `names` (sorted) as if they had been unpacked:
 * FOLDER/train/CLASS/NAME for those of a tar of tars, FOLDER/val/NAME and FOLDER/CLASS/NAME; `location` is
 * what `names` lists. Archives beside which there is such a folder already stay closed. UNSEEN_BAD_DATA if
 * one is damaged or compressed. */
enum unseen_status us_imagenet_expand(const char *location, struct us_store *store, struct us_names *names);

/* Images of a split that lie side by side. */
struct us_unsorted {
    const char *location; /* a folder */
    const struct us_names *names;
    const char *const *images; /* [n] names of the images, which lie in one folder, sorted */
    int64_t n;
    const char *const *classes; /* [n_classes] sorted by bytes */
    int n_classes;
};

/* Find the list that has their labels (datasets/label_list.h) among `names`, and read it: labels [n]. `found`
 * is false if there is none. *file (fresh memory) is the list and *map the text of the devkit's numbers, each
 * NULL if it was not read. UNSEEN_BAD_DATA as us_label_list_read. */
enum unseen_status us_imagenet_labels(const struct us_unsorted *unsorted, int32_t *labels, char **file,
                                      char **map);

/* The text among `names` that says what classes are called, in fresh memory; NULL if there is none. */
char *us_imagenet_words(const char *location, const struct us_names *names);

/* "n01440764 tench" for a class of which the text says "tench, Tinca tinca". Fresh memory. */
char *us_imagenet_class(const char *name, const char *words);

#endif
