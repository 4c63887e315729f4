/* Reading images in a given order, which the decoders' threads decode ahead.
 *
 * An order that one reader takes is its own. One that several take, each some of its samples, is decoded once
 * for all of them: images lie in a ring, and a place is free again when every reader is past it, so that the
 * foremost waits for the hindmost once the ring is full (gang.h says who reads together). */
#ifndef US_LOADER_READING_H
#define US_LOADER_READING_H

#include "loader/images.h"

struct us_reader; /* one reader's way through an order */

/* What a thread does while it waits for an image. */
struct us_waiting {
    /* Called without locks at least every 50 ms with the seconds that it has just waited for decoding, 0 if
     * it was for another reader. False: give up. */
    bool (*go_on)(void *context, double seconds);
    void *context;
};

/* Begin an order for one reader, and decode its images from now on, us_images_ahead ahead of the reader (all,
 * where they are kept). `order` is copied. Ended with us_reader_end. */
enum unseen_status us_reader_begin(struct us_images *images, const struct us_image_order *order,
                                   struct us_reader **reader);

/* The next n images of this reader, in order, to `pixels` [n, size, size, channels]. `samples` [n] are those
 * that the caller expects: they must be so. What a file is refused for is told when its turn comes.
 * UNSEEN_INTERRUPTED, without a message, if waiting.go_on said so. */
enum unseen_status us_reader_take(struct us_reader *reader, const int64_t *samples, int n,
                                  const struct us_waiting *waiting, uint8_t *pixels);

void us_reader_end(struct us_reader *reader);

/* ---- for gang.c; all with the decoders' lock held ---- */

struct us_reading; /* an order and its readers */

/* Make one without readers; the lock is not needed. It is found in the list at `siblings` until its last
 * reader ends. */
enum unseen_status us_reading_new(struct us_images *images, const struct us_image_order *order,
                                  struct us_reading **siblings, struct us_reading **reading);
void us_reading_begin(struct us_reading *reading);

struct us_reading *us_reading_next(const struct us_reading *reading);
const struct us_image_order *us_reading_order(const struct us_reading *reading);
bool us_reading_is_untouched(const struct us_reading *reading); /* no reader is past its first image */

/* Whether the order has all samples whose bits are set. */
bool us_reading_holds(const struct us_reading *reading, const uint8_t *wanted);

/* Add a reader of the samples whose bits are set (NULL: of all). */
struct us_reader *us_reading_add(struct us_reading *reading, const uint8_t *wanted, const void *owner);
struct us_reader *us_reading_find(const struct us_reading *reading, const void *owner);

/* us_reader_end for one that holds the lock. */
void us_reader_leave(struct us_reader *reader);

#endif
