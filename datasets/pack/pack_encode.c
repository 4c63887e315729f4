#include "config.h"

#include "datasets/pack/pack_encode.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "datasets/image/jpeg_write.h"
#include "datasets/index/file_reader.h"

enum unseen_status us_pack_encoder_open(const struct us_pack_coding *coding, struct us_pack_encoder *encoder)
{
    *encoder = (struct us_pack_encoder){.coding = coding};
    return coding->dataset->reader->scratch_new(coding->dataset, &encoder->scratch);
}

void us_pack_encoder_close(struct us_pack_encoder *encoder)
{
    if (encoder->scratch)
        encoder->coding->dataset->reader->scratch_free(encoder->scratch);
    us_bytes_free(&encoder->stored);
    free(encoder->pixels);
    *encoder = (struct us_pack_encoder){0};
}

/* As torchvision's Resize: the longer side is rounded down. Pictures are never made larger. */
static struct us_image_size target_of(const struct us_pack_coding *coding, enum unseen_split split, int64_t i)
{
    struct us_image_size size = us_image_size_of(coding->dataset, split, i);
    int32_t *shorter = size.height < size.width ? &size.height : &size.width;
    int32_t *longer = size.height < size.width ? &size.width : &size.height;
    if (coding->side > 0 && *shorter > coding->side) {
        *longer = (int32_t)((int64_t)coding->side * *longer / *shorter);
        *shorter = coding->side;
    }
    return size;
}

static bool same_size(struct us_image_size a, struct us_image_size b)
{
    return a.height == b.height && a.width == b.width;
}

static bool is_jpeg(const struct us_bytes *bytes)
{
    return bytes->size >= 3 && memcmp(bytes->data, "\xff\xd8\xff", 3) == 0;
}

/* What is stored is not what the dataset reads. */
static bool is_made_anew(const struct unseen_dataset *dataset, const struct us_entry *entry)
{
    return entry->bad || (dataset->options.exif == UNSEEN_EXIF_APPLY && entry->orientation != 1);
}

/* The stored file, if it is to be taken as it is: else `bytes` stays NULL. */
static enum unseen_status take_stored(struct us_pack_encoder *encoder, enum unseen_split split, int64_t i,
                                      uint8_t **bytes, size_t *size)
{
    const struct us_pack_coding *coding = encoder->coding;
    struct us_index *index = us_files_index(coding->dataset);
    if (!index || (coding->side > 0 && coding->quality == US_PACK_RAW))
        return UNSEEN_OK;
    if (!same_size(target_of(coding, split, i), us_image_size_of(coding->dataset, split, i)))
        return UNSEEN_OK;
    const int64_t entry = us_entry_of(index, split, i);
    if (is_made_anew(coding->dataset, &index->entries[entry]))
        return UNSEEN_OK;
    enum unseen_status st = us_store_read(index->store, us_index_name(index, entry),
                                          &index->entries[entry].place, &encoder->stored);
    if (st != UNSEEN_OK || (coding->side > 0 && !is_jpeg(&encoder->stored)))
        return st;
    *size = encoder->stored.size;
    if (!(*bytes = us_calloc(*size, 1)))
        return UNSEEN_FAILED;
    memcpy(*bytes, encoder->stored.data, *size);
    return UNSEEN_OK;
}

static enum unseen_status write_ppm(const uint8_t *pixels, struct us_image_size size, uint8_t **bytes,
                                    size_t *length)
{
    char header[64];
    const size_t n = 3 * (size_t)size.height * (size_t)size.width;
    const size_t head =
        (size_t)us_print_to(header, sizeof header, "P6\n%d %d\n255\n", size.width, size.height);
    if (!(*bytes = us_calloc(head + n, 1)))
        return UNSEEN_FAILED;
    memcpy(*bytes, header, head);
    memcpy(*bytes + head, pixels, n);
    *length = head + n;
    return UNSEEN_OK;
}

enum unseen_status us_pack_encode(struct us_pack_encoder *encoder, enum unseen_split split, int64_t i,
                                  uint8_t **bytes, size_t *size)
{
    const struct us_pack_coding *coding = encoder->coding;
    const struct unseen_dataset *dataset = coding->dataset;
    const struct us_image_size target = target_of(coding, split, i);
    const size_t n = 3 * (size_t)target.height * (size_t)target.width;
    enum unseen_status st;
    *bytes = NULL;
    US_TRY(take_stored(encoder, split, i, bytes, size));
    if (*bytes)
        goto out;
    if (n > encoder->room) {
        uint8_t *grown = us_realloc(encoder->pixels, n, 1);
        US_TRY_ALLOC(grown);
        encoder->pixels = grown;
        encoder->room = n;
    }
    US_TRY(dataset->reader->read(dataset, encoder->scratch, split, i, NULL, target.height, target.width,
                                 encoder->pixels));
    if (coding->quality == US_PACK_RAW || coding->side == 0)
        st = write_ppm(encoder->pixels, target, bytes, size);
    else
        st = us_jpeg_write(encoder->pixels, target.height, target.width, coding->quality, bytes, size);
out:
    return st;
}

int64_t us_pack_estimate(const struct us_pack_coding *coding, enum unseen_split split, int64_t i)
{
    struct us_index *index = us_files_index(coding->dataset);
    const struct us_image_size target = target_of(coding, split, i);
    const int64_t pixels = (int64_t)target.height * target.width;
    if (index && coding->quality != US_PACK_RAW &&
        same_size(target, us_image_size_of(coding->dataset, split, i)))
        return index->entries[us_entry_of(index, split, i)].place.size;
    if (coding->quality == US_PACK_RAW || coding->side == 0)
        return 3 * pixels + 32;
    return pixels / 3; /* 2.7 bits a pixel: photos at quality 90 take 2 to 3 */
}
