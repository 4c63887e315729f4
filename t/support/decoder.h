/* The decoder that the tests of image files use. */
#ifndef US_T_SUPPORT_DECODER_H
#define US_T_SUPPORT_DECODER_H

#include "datasets/image/image.h"

static struct us_image_decoder *decoder;

/* cmocka group setup and teardown. */
static inline int test_decoder(void **state)
{
    (void)state;
    return us_image_open(&decoder) == UNSEEN_OK ? 0 : -1;
}

static inline int test_decoder_end(void **state)
{
    (void)state;
    us_image_close(decoder);
    return 0;
}

#endif
