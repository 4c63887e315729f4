#include "config.h"

#include "loader/reading.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "loader/decoders.h"

/* Between looks at whether to go on: short enough to tell how long a device was idle. */
static const double look_seconds = 0.002;

struct us_reader {
    struct us_reader *next; /* of the same order */
    struct us_reading *reading;
    const uint8_t *wanted; /* a bit a sample; NULL: all */
    const void *owner;
    int64_t at; /* of the next image that it takes */
};

struct us_reading {
    struct us_decoder_work work; /* first: the decoders know no more */
    struct us_reading *next, **siblings;
    struct us_images *images;
    struct us_image_order order; /* with a copy of the samples */
    int64_t *sample;
    struct us_reader *readers;
    int64_t base, frontier; /* positions: hindmost that is not free, next that is decoded */

    /* Either what is kept of the split, by sample, or a ring, by position. */
    struct us_image_kept *kept;
    int64_t places;
    uint8_t *ring, *state;
};

/* ---- places ---- */

static uint8_t *state_at(const struct us_reading *r, int64_t at)
{
    return r->kept ? &r->kept->state[r->sample[at]] : &r->state[at % r->places];
}

static uint8_t *pixels_at(const struct us_reading *r, int64_t at)
{
    const size_t bytes = us_image_bytes(r->images);
    return r->kept ? r->kept->pixels + (size_t)r->sample[at] * bytes
                   : r->ring + (size_t)(at % r->places) * bytes;
}

static bool wants(const struct us_reader *reader, int64_t at)
{
    const int64_t sample = reader->reading->sample[at];
    return !reader->wanted || reader->wanted[sample / 8] >> sample % 8 & 1;
}

static int64_t next_wanted(const struct us_reader *reader, int64_t at)
{
    while (at < reader->reading->order.n && !wants(reader, at))
        at++;
    return at;
}

/* Free the places that all readers are past. One that is being written stays. */
static void advance(struct us_reading *r)
{
    int64_t least = r->order.n;
    const int64_t before = r->base;
    for (const struct us_reader *reader = r->readers; reader; reader = reader->next)
        least = reader->at < least ? reader->at : least;
    if (r->kept)
        return;
    while (r->base < least && *state_at(r, r->base) != US_IMAGE_BUSY) {
        if (r->base < r->frontier)
            *state_at(r, r->base) = US_IMAGE_EMPTY;
        r->base++;
    }
    r->frontier = r->frontier > r->base ? r->frontier : r->base;
    if (r->base != before)
        us_decoders_wake();
}

/* ---- what the decoders call ---- */

static bool is_wanted(const struct us_reading *r, int64_t at)
{
    for (const struct us_reader *reader = r->readers; reader; reader = reader->next) {
        if (reader->at <= at && wants(reader, at))
            return true;
    }
    return false;
}

static bool claim(struct us_decoder_work *work, int64_t *piece)
{
    struct us_reading *r = (struct us_reading *)work;
    const int64_t end = r->kept || r->order.n - r->base < r->places ? r->order.n : r->base + r->places;
    while (r->frontier < end) {
        const int64_t at = r->frontier++;
        uint8_t *state = state_at(r, at);
        if (*state != US_IMAGE_EMPTY)
            continue; /* kept already, or on its way for another order */
        if (is_wanted(r, at)) {
            *state = US_IMAGE_BUSY;
            *piece = at;
            return true;
        }
        *state = US_IMAGE_SKIPPED;
    }
    return false;
}

static bool decode(struct us_decoder_work *work, int thread, int64_t piece)
{
    struct us_reading *r = (struct us_reading *)work;
    return us_images_decode(r->images, thread, &r->order, r->sample[piece], pixels_at(r, piece)) == UNSEEN_OK;
}

static void done(struct us_decoder_work *work, int64_t piece, bool succeeded)
{
    struct us_reading *r = (struct us_reading *)work;
    *state_at(r, piece) = succeeded ? US_IMAGE_READY : US_IMAGE_FAILED;
    if (piece == r->base)
        advance(r); /* its last reader may have left meanwhile */
}

/* ---- orders ---- */

static void reading_free(struct us_reading *r)
{
    free(r->ring);
    free(r->state);
    free(r->sample);
    free(r);
}

enum unseen_status us_reading_new(struct us_images *images, const struct us_image_order *order,
                                  struct us_reading **siblings, struct us_reading **reading)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_reading *r = NULL;
    struct us_image_kept *kept = us_images_kept(images, order->split);
    US_TRY_ALLOC(r = us_calloc(1, sizeof *r));
    *r = (struct us_reading){.work = {.claim = claim, .decode = decode, .done = done},
                             .siblings = siblings,
                             .images = images,
                             .order = *order};
    US_TRY_ALLOC(r->sample = us_calloc((size_t)order->n, sizeof *r->sample));
    memcpy(r->sample, order->sample, (size_t)order->n * sizeof *r->sample);
    r->order.sample = r->sample;
    if (!order->random && kept->pixels) {
        r->kept = kept;
    } else {
        r->places = us_images_ahead(images);
        r->places = order->n < r->places ? order->n : r->places;
        US_TRY_ALLOC(r->ring = us_calloc((size_t)r->places, us_image_bytes(images)));
        US_TRY_ALLOC(r->state = us_calloc((size_t)r->places, 1));
    }
    *reading = r;
    r = NULL;
out:
    if (r)
        reading_free(r);
    return st;
}

void us_reading_begin(struct us_reading *r)
{
    if (r->siblings) {
        r->next = *r->siblings;
        *r->siblings = r;
    }
    us_decoders_add(&r->work);
}

/* The last reader has gone. */
static void end(struct us_reading *r)
{
    for (struct us_reading **at = r->siblings; at && *at; at = &(*at)->next) {
        if (*at == r) {
            *at = r->next;
            break;
        }
    }
    us_decoders_remove(&r->work);
    reading_free(r);
}

struct us_reading *us_reading_next(const struct us_reading *r)
{
    return r->next;
}

const struct us_image_order *us_reading_order(const struct us_reading *r)
{
    return &r->order;
}

bool us_reading_is_untouched(const struct us_reading *r)
{
    return r->base == 0;
}

bool us_reading_holds(const struct us_reading *r, const uint8_t *wanted)
{
    const int64_t all = us_images_count(r->images, r->order.split);
    int64_t missing = 0;
    for (int64_t i = 0; i < all; i++)
        missing += wanted[i / 8] >> i % 8 & 1;
    for (int64_t i = 0; i < r->order.n; i++)
        missing -= wanted[r->sample[i] / 8] >> r->sample[i] % 8 & 1;
    return missing == 0;
}

/* ---- readers ---- */

struct us_reader *us_reading_add(struct us_reading *r, const uint8_t *wanted, const void *owner)
{
    struct us_reader *reader = us_calloc(1, sizeof *reader);
    if (!reader)
        return NULL;
    *reader = (struct us_reader){.next = r->readers, .reading = r, .wanted = wanted, .owner = owner};
    reader->at = next_wanted(reader, 0);
    r->readers = reader;
    return reader;
}

struct us_reader *us_reading_find(const struct us_reading *r, const void *owner)
{
    struct us_reader *reader = r->readers;
    while (reader && reader->owner != owner)
        reader = reader->next;
    return reader;
}

void us_reader_leave(struct us_reader *reader)
{
    struct us_reading *r = reader->reading;
    struct us_reader **at = &r->readers;
    while (*at != reader)
        at = &(*at)->next;
    *at = reader->next;
    free(reader);
    if (r->readers)
        advance(r);
    else
        end(r);
}

enum unseen_status us_reader_begin(struct us_images *images, const struct us_image_order *order,
                                   struct us_reader **reader)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_reading *r;
    US_TRY(us_reading_new(images, order, NULL, &r));
    us_decoders_lock();
    *reader = us_reading_add(r, NULL, NULL);
    if (*reader)
        us_reading_begin(r);
    us_decoders_unlock();
    if (!*reader) {
        reading_free(r);
        st = UNSEEN_FAILED;
    }
out:
    return st;
}

void us_reader_end(struct us_reader *reader)
{
    if (!reader)
        return;
    us_decoders_lock();
    us_reader_leave(reader);
    us_decoders_unlock();
}

/* Whether an image is still to be decoded. Beyond the frontier the ring holds earlier ones. */
static bool is_pending(const struct us_reading *r, int64_t at)
{
    const uint8_t state = *state_at(r, at);
    return (!r->kept && at >= r->frontier) || state == US_IMAGE_EMPTY || state == US_IMAGE_BUSY;
}

/* With the lock held: until the image at reader->at is there, or known not to come. */
static enum unseen_status await(const struct us_reader *reader, const struct us_waiting *waiting)
{
    while (is_pending(reader->reading, reader->at)) {
        const struct us_reading *r = reader->reading;
        const bool full = !r->kept && reader->at >= r->base + r->places;
        const double start = us_seconds();
        us_decoders_wait(look_seconds);
        us_decoders_unlock();
        const bool go_on = waiting->go_on(waiting->context, full ? 0 : us_seconds() - start);
        us_decoders_lock();
        if (!go_on)
            return UNSEEN_INTERRUPTED;
    }
    return UNSEEN_OK;
}

/* An image that the decoders passed over or failed at is decoded here, so that the failure is this thread's.
 */
static enum unseen_status fetch(const struct us_reader *reader, bool ready, uint8_t *pixels)
{
    const struct us_reading *r = reader->reading;
    if (ready) {
        memcpy(pixels, pixels_at(r, reader->at), us_image_bytes(r->images));
        return UNSEEN_OK;
    }
    const double start = us_seconds();
    const enum unseen_status st = us_images_decode(r->images, -1, &r->order, r->sample[reader->at], pixels);
    const double seconds = us_seconds() - start;
    us_decoders_lock();
    us_decoders_note(seconds);
    us_decoders_unlock();
    return st;
}

static enum unseen_status take_one(struct us_reader *reader, int64_t sample, const struct us_waiting *waiting,
                                   uint8_t *pixels)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_reading *r = reader->reading;
    if (reader->at >= r->order.n || r->sample[reader->at] != sample)
        return us_fail(UNSEEN_FAILED, "loader", "sample %" PRId64 " is not the next of its order", sample);
    us_decoders_lock();
    st = await(reader, waiting);
    const bool ready = st == UNSEEN_OK && *state_at(r, reader->at) == US_IMAGE_READY;
    us_decoders_unlock();
    US_TRY(st);
    US_TRY(fetch(reader, ready, pixels));
    us_decoders_lock();
    reader->at = next_wanted(reader, reader->at + 1);
    advance(r);
    us_decoders_unlock();
out:
    return st;
}

enum unseen_status us_reader_take(struct us_reader *reader, const int64_t *samples, int n,
                                  const struct us_waiting *waiting, uint8_t *pixels)
{
    enum unseen_status st = UNSEEN_OK;
    for (int i = 0; i < n; i++)
        US_TRY(take_one(reader, samples[i], waiting,
                        pixels + (size_t)i * us_image_bytes(reader->reading->images)));
out:
    return st;
}
