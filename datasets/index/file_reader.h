/* The reader of datasets of image files: stored bytes by the index, then decoded. */
#ifndef US_DATASETS_FILE_READER_H
#define US_DATASETS_FILE_READER_H

#include "datasets/index/index.h"

/* Give the dataset a reader of files, with an empty index that it owns. */
enum unseen_status us_files_new(struct unseen_dataset *dataset);

/* Where the index is kept, or NULL; copied. A file that turns out not to be as it was listed makes what is
 * kept there useless, and it is removed. */
enum unseen_status us_files_kept_at(struct unseen_dataset *dataset, const char *path);

/* The index of a dataset of files; NULL for any other. */
struct us_index *us_files_index(const struct unseen_dataset *dataset);

/* Set dataset->height and width, and the reader's sizes where there is more than one, as pictures are read. A
 * bad one has the others' size, or US_GREY_SIDE in both directions where they have many. */
enum { US_GREY_SIDE = 224 };
enum unseen_status us_files_sizes(struct unseen_dataset *dataset);

/* Whether an entry has no picture, by its header or, where every file is decoded, by that. */
bool us_files_lack(const struct unseen_dataset *dataset, int64_t entry);

/* The entry of a sample. */
static inline int64_t us_entry_of(const struct us_index *index, enum unseen_split split, int64_t i)
{
    return (split == UNSEEN_TEST ? index->n[UNSEEN_TRAIN] : 0) + i;
}

#endif
