/* The file of a packed dataset, as unseen-formats(5) describes it. All numbers are little-endian.
 *
 * The header, US_PACK_HEADER bytes: "UNSEENPK", uint32 version, uint32 0, uint64 where the table begins (0:
 * the pack is not finished), uint64 its size, its SHA-256, uint64 size of the settings.
 *
 * The settings: a JSON object, blanks behind it up to a multiple of 8 bytes.
 *
 * The samples, each US_PACK_FRAME bytes: uint64 number, uint64 size, uint64 XXH3 of the bytes; then the bytes
 * of an image file, zeroes behind them up to a multiple of 8.
 *
 * The table: uint64 training samples, test samples, classes, and of each split where the class begins in a
 * name; an entry of US_PACK_ENTRY bytes for each sample: uint64 where its bytes begin, uint64 size, uint64
 * XXH3, uint64 index in its split of the source, uint32 label, uint32 0; names of the classes, then of the
 * samples, a zero byte behind each. */
#ifndef US_DATASETS_PACK_FILE_H
#define US_DATASETS_PACK_FILE_H

#include <jansson.h>
#include <stdint.h>

#include "base/status.h"

#define US_PACK_MAGIC "UNSEENPK"

enum {
    US_PACK_VERSION = 1,
    US_PACK_HEADER = 72,
    US_PACK_FRAME = 24,
    US_PACK_COUNTS = 40,
    US_PACK_ENTRY = 40
};

static inline void us_put_number(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t us_get_number(const uint8_t *from, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << (8 * i);
    return value;
}

/* Up to a multiple of 8. */
static inline uint64_t us_padded(uint64_t size)
{
    return (size + 7) & ~UINT64_C(7);
}

struct us_pack_header {
    uint64_t table, table_size; /* 0: not finished */
    uint8_t digest[32];         /* of the table */
    uint64_t settings_size;
};

void us_pack_header_put(const struct us_pack_header *header, uint8_t bytes[US_PACK_HEADER]);

/* UNSEEN_BAD_DATA if it is no header of this version. */
enum unseen_status us_pack_header_get(const char *file, const uint8_t *bytes, size_t size,
                                      struct us_pack_header *header);

/* A sample as the table has it. */
struct us_packed_sample {
    uint64_t offset, size, sum, index;
    int32_t label;
    const char *name;
};

/* A finished pack's table, read and checked. */
struct us_pack_table {
    uint8_t *bytes; /* behind the names */
    int64_t n[2];   /* by enum unseen_split */
    size_t class_at[2];
    int n_classes;
    const char **classes;             /* [n_classes] */
    struct us_packed_sample *samples; /* [n[0] + n[1]] */
};

/* UNSEEN_BAD_DATA if the file is no pack, is not finished, or is damaged in its table. Freed with
 * us_pack_table_free, also after a failure; `table` is zeroed by the caller. */
enum unseen_status us_pack_table_read(const char *file, struct us_pack_table *table);
void us_pack_table_free(struct us_pack_table *table);

#endif
