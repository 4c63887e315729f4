#include "config.h"

#include "datasets/index/file_reader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "datasets/image/exif.h"
#include "datasets/image/image.h"

struct files {
    struct unseen_reader reader; /* first: what the dataset points to */
    struct us_index index;
    struct us_image_size *sizes; /* as index.sizes, of pictures as they are read; NULL: the same */
    char *kept;                  /* where the index is kept; NULL: nowhere */
    pthread_mutex_t lock;        /* of entries that turn out to be bad */
    int64_t found_bad;           /* .. and their number */
};

struct us_scratch {
    struct us_image_decoder *decoder;
    struct us_bytes bytes;
    struct us_bytes stored; /* pixels before they are turned */
};

static void scratch_free(struct us_scratch *scratch)
{
    if (!scratch)
        return;
    us_image_close(scratch->decoder);
    us_bytes_free(&scratch->bytes);
    us_bytes_free(&scratch->stored);
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
    free(files->sizes);
    free(files->kept);
    pthread_mutex_destroy(&files->lock);
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

/* Decode scratch->bytes, and turn what was decoded. */
static bool decode_turned(struct us_scratch *scratch, int orientation, struct us_image_size stored,
                          const struct us_crop *crop, int height, int width, uint8_t *pixels)
{
    const struct us_bytes *bytes = &scratch->bytes;
    if (orientation <= 1)
        return us_image_crop(scratch->decoder, bytes->data, bytes->size, crop, height, width, pixels);
    const bool swaps = us_exif_swaps(orientation);
    const struct us_crop all = {.height = (float)(swaps ? stored.width : stored.height),
                                .width = (float)(swaps ? stored.height : stored.width)};
    const struct us_crop box = us_exif_crop(orientation, stored.height, stored.width, crop ? crop : &all);
    if (us_bytes_reserve(&scratch->stored, (size_t)height * (size_t)width * 3) != UNSEEN_OK ||
        !us_image_crop(scratch->decoder, bytes->data, bytes->size, &box, swaps ? width : height,
                       swaps ? height : width, scratch->stored.data))
        return false;
    us_exif_turn(orientation, scratch->stored.data, height, width, pixels);
    return true;
}

/* The entry's bytes. One that is not as it was listed makes the index that is kept old. */
static enum unseen_status fetch(const struct files *files, struct us_scratch *scratch, int64_t entry)
{
    const struct us_index *index = &files->index;
    enum unseen_status st = us_store_read(index->store, us_index_name(index, entry),
                                          &index->entries[entry].place, &scratch->bytes);
    if (st == UNSEEN_BAD_DATA && files->kept)
        (void)unlink(files->kept);
    return st;
}

/* Of the bytes that were fetched. */
static enum unseen_status decode_picture(const struct unseen_dataset *dataset, struct us_scratch *scratch,
                                         int64_t entry, const struct us_crop *crop, int height, int width,
                                         uint8_t *pixels)
{
    const struct us_index *index = &((const struct files *)dataset->reader)->index;
    const bool turn = dataset->options.exif == UNSEEN_EXIF_APPLY;
    if (decode_turned(scratch, turn ? index->entries[entry].orientation : 1, index->sizes[entry], crop,
                      height, width, pixels))
        return UNSEEN_OK;
    return refuse_file(index, entry, us_image_reason(scratch->decoder));
}

bool us_files_lack(const struct unseen_dataset *dataset, int64_t entry)
{
    const struct us_entry *e = &us_files_index(dataset)->entries[entry];
    return e->bad || (dataset->options.on_bad == UNSEEN_BAD_SKIP && e->decoded == US_DAMAGED);
}

/* Tell of the first one alone: there may be many. */
static void set_bad(struct files *files, int64_t entry)
{
    pthread_mutex_lock(&files->lock);
    struct us_entry *bad = &files->index.entries[entry];
    if (bad->decoded != US_DAMAGED && files->found_bad++ == 0)
        us_log(UNSEEN_LOG_WARNING, "%s; it is taken as grey, as others like it will be", unseen_last_error());
    bad->decoded = US_DAMAGED;
    pthread_mutex_unlock(&files->lock);
}

/* Grey stands for what cannot be decoded alone: without a file that is gone or was changed, these are other
 * data than those that were listed, and what is trained on them would go by the hash of the latter. */
static enum unseen_status read_file(const struct unseen_dataset *dataset, struct us_scratch *scratch,
                                    enum unseen_split split, int64_t i, const struct us_crop *crop,
                                    int height, int width, uint8_t *pixels)
{
    struct files *files = (struct files *)dataset->reader;
    const int64_t entry = us_entry_of(&files->index, split, i);
    const bool lacks = us_files_lack(dataset, entry);
    enum unseen_status st = UNSEEN_OK;
    if (!lacks) {
        US_TRY(fetch(files, scratch, entry));
        st = decode_picture(dataset, scratch, entry, crop, height, width, pixels);
    }
    if (lacks || (st == UNSEEN_BAD_DATA && dataset->options.on_bad == UNSEEN_BAD_GREY)) {
        if (!lacks)
            set_bad(files, entry);
        memset(pixels, 128, (size_t)height * (size_t)width * 3);
        st = UNSEEN_OK;
    }
out:
    return st;
}

struct us_index *us_files_index(const struct unseen_dataset *dataset)
{
    const bool files = dataset->reader && dataset->reader->close == close_files;
    return files ? &((struct files *)dataset->reader)->index : NULL;
}

enum unseen_status us_files_kept_at(struct unseen_dataset *dataset, const char *path)
{
    struct files *files = (struct files *)dataset->reader;
    if (path && !(files->kept = us_format("%s", path)))
        return UNSEEN_FAILED;
    return UNSEEN_OK;
}

enum unseen_status us_files_new(struct unseen_dataset *dataset)
{
    struct files *files = us_calloc(1, sizeof *files);
    if (!files)
        return UNSEEN_FAILED;
    files->reader = (struct unseen_reader){
        .scratch_new = scratch_new, .scratch_free = scratch_free, .read = read_file, .close = close_files};
    pthread_mutex_init(&files->lock, NULL);
    dataset->reader = &files->reader;
    dataset->channels = 3;
    return UNSEEN_OK;
}

/* The sizes of pictures as they are read, where they are not as they are stored: turned, or bad. */
static enum unseen_status make_sizes(const struct unseen_dataset *dataset, struct files *files, int64_t n)
{
    const struct us_index *index = &files->index;
    const bool turn = dataset->options.exif == UNSEEN_EXIF_APPLY;
    bool same = true;
    for (int64_t i = 0; i < n; i++)
        same &= !us_files_lack(dataset, i) && !(turn && us_exif_swaps(index->entries[i].orientation));
    if (same)
        return UNSEEN_OK;
    if (!(files->sizes = us_calloc((size_t)n, sizeof *files->sizes)))
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < n; i++) {
        const struct us_image_size stored = index->sizes[i];
        const bool swaps = turn && us_exif_swaps(index->entries[i].orientation);
        files->sizes[i] = us_files_lack(dataset, i) ? (struct us_image_size){US_GREY_SIDE, US_GREY_SIDE}
                          : swaps                   ? (struct us_image_size){stored.width, stored.height}
                                                    : stored;
    }
    return UNSEEN_OK;
}

enum unseen_status us_files_sizes(struct unseen_dataset *dataset)
{
    struct files *files = (struct files *)dataset->reader;
    const struct us_index *index = &files->index;
    const int64_t n = index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST];
    const struct us_image_size *first = NULL;
    bool several = false;
    enum unseen_status st = make_sizes(dataset, files, n);
    if (st != UNSEEN_OK)
        return st;
    const struct us_image_size *sizes = files->sizes ? files->sizes : index->sizes;
    for (int64_t i = 0; i < n; i++) {
        if (us_files_lack(dataset, i))
            continue;
        first = first ? first : &sizes[i];
        several |= sizes[i].height != first->height || sizes[i].width != first->width;
    }
    dataset->height = first && !several ? first->height : 0;
    dataset->width = first && !several ? first->width : 0;
    for (int split = 0; (several || !first) && split < 2; split++)
        dataset->reader->sizes[split] = sizes + us_entry_of(index, (enum unseen_split)split, 0);
    return UNSEEN_OK;
}
