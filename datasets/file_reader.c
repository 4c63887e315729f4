#include "config.h"

#include "datasets/file_reader.h"

#include <stdlib.h>

#include "datasets/image.h"

struct files {
    struct unseen_reader reader; /* first: what the dataset points to */
    struct us_index index;
};

struct us_scratch {
    struct us_image_decoder *decoder;
    struct us_bytes bytes;
};

static void scratch_free(struct us_scratch *scratch)
{
    if (!scratch)
        return;
    us_image_close(scratch->decoder);
    us_bytes_free(&scratch->bytes);
    free(scratch);
}

static enum unseen_status scratch_new(const struct unseen_dataset *dataset, struct us_scratch **scratch)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_scratch *fresh = us_calloc(1, sizeof *fresh);
    (void)dataset;
    US_TRY_ALLOC(fresh);
    US_TRY(us_image_open(&fresh->decoder));
    *scratch = fresh;
    fresh = NULL;
out:
    scratch_free(fresh);
    return st;
}

static void close_files(struct unseen_reader *reader)
{
    struct files *files = (struct files *)reader;
    us_index_free(&files->index);
    free((void *)reader->pixels[UNSEEN_TRAIN]);
    free((void *)reader->pixels[UNSEEN_TEST]);
    free(files);
}

static enum unseen_status refuse_file(const struct us_index *index, int64_t entry, const char *reason)
{
    char *label = us_store_label(index->store, us_index_name(index, entry), &index->entries[entry].place);
    enum unseen_status st = label ? us_fail(UNSEEN_BAD_DATA, label, "%s", reason) : UNSEEN_FAILED;
    free(label);
    return st;
}

static enum unseen_status read_file(const struct unseen_dataset *dataset, struct us_scratch *scratch,
                                    enum unseen_split split, int64_t i, const struct us_crop *crop,
                                    int height, int width, uint8_t *pixels)
{
    const struct us_index *index = us_files_index(dataset);
    const int64_t entry = us_entry_of(index, split, i);
    enum unseen_status st;
    US_TRY(us_store_read(index->store, us_index_name(index, entry), &index->entries[entry].place,
                         &scratch->bytes));
    const struct us_bytes *bytes = &scratch->bytes;
    if (!us_image_crop(scratch->decoder, bytes->data, bytes->size, crop, height, width, pixels))
        return refuse_file(index, entry, us_image_reason(scratch->decoder));
out:
    return st;
}

struct us_index *us_files_index(const struct unseen_dataset *dataset)
{
    const bool files = dataset->reader && dataset->reader->close == close_files;
    return files ? &((struct files *)dataset->reader)->index : NULL;
}

enum unseen_status us_files_new(struct unseen_dataset *dataset)
{
    struct files *files = us_calloc(1, sizeof *files);
    if (!files)
        return UNSEEN_FAILED;
    files->reader = (struct unseen_reader){
        .scratch_new = scratch_new, .scratch_free = scratch_free, .read = read_file, .close = close_files};
    dataset->reader = &files->reader;
    dataset->channels = 3;
    return UNSEEN_OK;
}
