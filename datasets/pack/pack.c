/* Packed datasets as a format: a file whose pieces are image files. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/hash.h"
#include "datasets/format.h"
#include "datasets/index/index.h"
#include "datasets/pack/pack_file.h"

static bool is_pack(const char *path)
{
    char magic[8];
    FILE *file = us_fopen(path, "rbe");
    const bool pack = file && fread(magic, 1, sizeof magic, file) == sizeof magic &&
                      memcmp(magic, US_PACK_MAGIC, sizeof magic) == 0;
    if (file)
        fclose(file);
    return pack;
}

static enum unseen_status list_pack(const char *location, struct us_index *index)
{
    struct us_pack_table table = {0};
    int32_t file = 0;
    enum unseen_status st;
    US_TRY(us_pack_table_read(location, &table));
    US_TRY(us_store_new(NULL, &index->store));
    US_TRY(us_store_add(index->store, location, false, &file));
    for (int c = 0; c < table.n_classes; c++)
        US_TRY(us_index_class(index, table.classes[c]));
    for (int64_t i = 0; i < table.n[0] + table.n[1]; i++) {
        const struct us_packed_sample *sample = &table.samples[i];
        const struct us_place place = {
            .offset = (int64_t)sample->offset, .size = (int64_t)sample->size, .file = file};
        US_TRY(us_index_add(index, i < table.n[0] ? UNSEEN_TRAIN : UNSEEN_TEST, sample->name, sample->label,
                            &place));
    }
    for (int split = 0; split < 2; split++)
        index->class_at[split] = table.class_at[split];
out:
    us_pack_table_free(&table);
    return st;
}

/* The sums of all samples, in the order of the table, which is that of the index. */
static enum unseen_status check_pack(const char *location, const struct us_index *index,
                                     struct us_defects *defects)
{
    struct us_pack_table table = {0};
    struct us_bytes bytes = {0};
    char reason[US_REASON];
    enum unseen_status st;
    US_TRY(us_pack_table_read(location, &table));
    for (int64_t i = 0; i < table.n[0] + table.n[1]; i++) {
        const struct us_packed_sample *sample = &table.samples[i];
        const struct us_place place = {.offset = (int64_t)sample->offset, .size = (int64_t)sample->size};
        US_TRY(us_dataset_go_on(location));
        if (!us_store_try(index->store, sample->name, &place, 0, place.size, &bytes, reason))
            US_TRY(us_defect(defects, location, sample->name, -1, "%s", reason));
        else if (us_hash(US_HASH_START, bytes.data, bytes.size) != sample->sum)
            US_TRY(us_defect(defects, location, sample->name, -1,
                             "has not the checksum that the pack has for it"));
    }
out:
    us_bytes_free(&bytes);
    us_pack_table_free(&table);
    return st;
}

/* Files as they are stored. */
static enum unseen_status write_pack(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                     const char *out)
{
    const struct unseen_pack_options stored = {.size = 0, .quality = 90};
    return unseen_dataset_pack(dataset, subset->keep, subset->n, &stored, out);
}

const struct us_dataset_format us_format_pack = {
    .name = "pack",
    .argument = "FILE",
    .knows = is_pack,
    .list = list_pack,
    .check = check_pack,
    .write_file = write_pack,
};
