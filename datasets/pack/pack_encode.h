/* One sample of a packed dataset as an image file. */
#ifndef US_DATASETS_PACK_ENCODE_H
#define US_DATASETS_PACK_ENCODE_H

#include "base/reader.h"
#include "datasets/store/store.h"

enum { US_PACK_RAW = -1 }; /* quality: pixels as they are */

struct us_pack_coding {
    const struct unseen_dataset *dataset;
    int side;    /* the shorter side of pictures that have a longer one; 0: files as they are stored */
    int quality; /* of JPEG, 1..100, or US_PACK_RAW */
};

/* For one thread at a time. */
struct us_pack_encoder {
    const struct us_pack_coding *coding;
    struct us_scratch *scratch;
    struct us_bytes stored;
    uint8_t *pixels;
    size_t room;
};

/* Ends with us_pack_encoder_close, also after a failure. */
enum unseen_status us_pack_encoder_open(const struct us_pack_coding *coding, struct us_pack_encoder *encoder);
void us_pack_encoder_close(struct us_pack_encoder *encoder);

/* The file for a sample: `bytes` receives fresh memory. A JPEG that is not made smaller stays as it is
 * stored. */
enum unseen_status us_pack_encode(struct us_pack_encoder *encoder, enum unseen_split split, int64_t i,
                                  uint8_t **bytes, size_t *size);

/* How many bytes that takes: of JPEGs that are written an estimate. */
int64_t us_pack_estimate(const struct us_pack_coding *coding, enum unseen_split split, int64_t i);

#endif
