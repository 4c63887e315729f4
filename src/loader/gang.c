#include "config.h"

#include "loader/gang.h"

#include <stdlib.h>

#include "base/rng.h"
#include "loader/decoders.h"

/* Between looks at whether to go on. */
static const double look_seconds = 0.05;

struct us_gang_member {
    struct us_gang_member *next;
    struct us_gang *gang;
    uint8_t *wanted; /* a bit a sample of the training split */
    int64_t all;
    uint64_t seed;
    int epoch; /* that it has begun last, or begins with */
    bool begun;
};

/* Under the decoders' lock. */
struct us_gang {
    struct us_gang_member *members;
    struct us_reading *readings;
    int expected;
    bool making; /* a member is making an order */
};

enum unseen_status us_gang_new(struct us_gang **gang)
{
    *gang = us_calloc(1, sizeof **gang);
    return *gang ? UNSEEN_OK : UNSEEN_FAILED;
}

void us_gang_free(struct us_gang *gang)
{
    free(gang);
}

void us_gang_expect(struct us_gang *gang, int members)
{
    us_decoders_lock();
    gang->expected += members;
    us_decoders_unlock();
}

void us_gang_miss(struct us_gang *gang)
{
    us_decoders_lock();
    gang->expected--;
    us_decoders_notify();
    us_decoders_unlock();
}

/* ---- members ---- */

static void member_free(struct us_gang_member *member)
{
    free(member->wanted);
    free(member);
}

enum unseen_status us_gang_join(struct us_gang *gang, bool expected, const int64_t *samples, int64_t n,
                                int64_t all, uint64_t seed, int epoch, struct us_gang_member **out)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_gang_member *member = us_calloc(1, sizeof *member);
    US_TRY_ALLOC(member);
    *member = (struct us_gang_member){.gang = gang, .all = all, .seed = seed, .epoch = epoch};
    US_TRY_ALLOC(member->wanted = us_calloc((size_t)(all + 7) / 8, 1));
    for (int64_t i = 0; i < n; i++)
        member->wanted[samples[i] / 8] |= (uint8_t)(1 << samples[i] % 8);
    us_decoders_lock();
    member->next = gang->members;
    gang->members = member;
    us_decoders_unlock();
    *out = member;
    member = NULL;
    if (expected)
        us_gang_miss(gang);
out:
    if (member)
        member_free(member);
    return st;
}

void us_gang_leave(struct us_gang_member *member)
{
    if (!member)
        return;
    struct us_gang *gang = member->gang;
    us_decoders_lock();
    struct us_gang_member **at = &gang->members;
    while (*at != member)
        at = &(*at)->next;
    *at = member->next;
    for (struct us_reading *r = gang->readings, *next; r; r = next) {
        next = us_reading_next(r);
        struct us_reader *reader = us_reading_find(r, member);
        if (reader)
            us_reader_leave(reader);
    }
    us_decoders_unlock();
    member_free(member);
}

/* ---- readings; all with the lock held ---- */

/* The order of an epoch that has `owner` among its readers, or (NULL) any such order; NULL: none. */
static struct us_reading *find_reading(const struct us_gang *gang, uint64_t seed, int epoch,
                                       const struct us_gang_member *owner)
{
    struct us_reading *r = gang->readings;
    while (r && !(us_reading_order(r)->seed == seed && us_reading_order(r)->epoch == (uint32_t)epoch &&
                  (!owner || us_reading_find(r, owner))))
        r = us_reading_next(r);
    return r;
}

/* Whether `other` is to read the order of an epoch that `member` begins: it is in the epoch before, is to
 * read that, or begins with this one. */
static bool reads_along(const struct us_gang_member *other, const struct us_gang_member *member, int epoch)
{
    if (other->seed != member->seed)
        return false;
    return other->epoch == epoch - 1 || (other->epoch == epoch && !other->begun) ||
           (other->epoch < epoch && find_reading(other->gang, other->seed, epoch - 1, other));
}

/* Whether others are still in the epoch before the last: no more than two orders lie in memory. */
static bool is_ahead(const struct us_gang_member *member, int epoch)
{
    for (const struct us_gang_member *m = member->gang->members; m; m = m->next) {
        if (m != member && find_reading(member->gang, member->seed, epoch - 2, m))
            return true;
    }
    return false;
}

static bool has(const struct us_gang_member *member, int64_t sample)
{
    return member->wanted[sample / 8] >> sample % 8 & 1;
}

/* All samples that the member and those who read along train on, in ascending order; returns their number. */
static int64_t unite(const struct us_gang_member *member, int epoch, int64_t *samples)
{
    int64_t n = 0;
    for (int64_t i = 0; i < member->all; i++) {
        bool wanted = has(member, i);
        for (const struct us_gang_member *m = member->gang->members; m && !wanted; m = m->next)
            wanted = reads_along(m, member, epoch) && has(m, i);
        if (wanted)
            samples[n++] = i;
    }
    return n;
}

/* The member's way through an order that there is: it reads that already, or joins while no image of it is
 * gone. NULL: there is none. */
static enum unseen_status find_reader(struct us_gang_member *member, int epoch, struct us_reader **reader)
{
    struct us_reading *r = find_reading(member->gang, member->seed, epoch, member);
    *reader = r ? us_reading_find(r, member) : NULL;
    if (r)
        return UNSEEN_OK;
    r = find_reading(member->gang, member->seed, epoch, NULL);
    if (!r || !us_reading_is_untouched(r) || !us_reading_holds(r, member->wanted))
        return UNSEEN_OK;
    *reader = us_reading_add(r, member->wanted, member);
    return *reader ? UNSEEN_OK : UNSEEN_FAILED;
}

/* Make the order of an epoch, and a reader for the member and for each who reads along. Shuffling takes a
 * while: the lock is released meanwhile. */
static enum unseen_status make(struct us_gang_member *member, struct us_images *images, int epoch,
                               struct us_reader **reader)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_gang *gang = member->gang;
    struct us_reading *reading = NULL;
    struct us_image_order order = {
        .split = UNSEEN_TRAIN, .random = true, .seed = member->seed, .epoch = (uint32_t)epoch};
    int64_t *samples = us_calloc((size_t)member->all, sizeof *samples);
    US_TRY_ALLOC(samples);
    order.sample = samples;
    order.n = unite(member, epoch, samples);
    gang->making = true;
    us_decoders_unlock();
    st = us_shuffle(order.seed, US_STREAM_SHUFFLE, order.epoch, (size_t)order.n, samples);
    st = st ? st : us_reading_new(images, &order, &gang->readings, &reading);
    us_decoders_lock();
    gang->making = false;
    us_decoders_notify();
    US_TRY(st);
    US_TRY_ALLOC(*reader = us_reading_add(reading, member->wanted, member));
    us_reading_begin(reading);
    /* One that came while the order was made may have samples that are not in it. */
    for (struct us_gang_member *m = gang->members; m; m = m->next) {
        if (m != member && reads_along(m, member, epoch) && us_reading_holds(reading, m->wanted))
            US_TRY_ALLOC(us_reading_add(reading, m->wanted, m));
    }
out:
    free(samples);
    return st;
}

enum unseen_status us_gang_begin(struct us_gang_member *member, struct us_images *images, int epoch,
                                 const struct us_waiting *waiting, struct us_reader **reader)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_gang *gang = member->gang;
    us_decoders_lock();
    while (st == UNSEEN_OK && (gang->expected > 0 || gang->making || is_ahead(member, epoch))) {
        us_decoders_wait(look_seconds);
        us_decoders_unlock();
        st = waiting->go_on(waiting->context, 0) ? UNSEEN_OK : UNSEEN_INTERRUPTED;
        us_decoders_lock();
    }
    US_TRY(st);
    US_TRY(find_reader(member, epoch, reader));
    if (!*reader)
        US_TRY(make(member, images, epoch, reader));
    member->epoch = epoch;
    member->begun = true;
out:
    us_decoders_unlock();
    return st;
}
