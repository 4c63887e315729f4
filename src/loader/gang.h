/* Models that train at the same time on random parts of the same pictures, and share what is decoded.
 *
 * The order of an epoch is one for all samples of a run, keyed by its seed and the epoch; every model leaves
 * out what it does not train on. So the members of a gang that pass through the same epoch read one order, in
 * which each image is decoded once, whoever needs it. What a member is given does not depend on who else is
 * there.
 *
 * Who waits for whom: a reading's ring is full until its hindmost reader moves on. The readers of epoch e are
 * the members that read epoch e - 1 or are about to begin with e when its first reader comes, and those that
 * come while none of its images is gone. Members further on, or further back, are none. Before it begins e, a
 * member waits until the others are through with e - 2, so that two orders lie in memory at most.
 *
 * Nobody waits for ever. (1) Decoding waits for readers alone, and us_gang_leave takes one that stops, fails
 * or ends out of all readings. (2) Of the members that are blocked take those that read the lowest epoch, e,
 * and of them the hindmost. It does not wait to begin an epoch: that would be for others in a lower one,
 * which are not blocked and go on. Nor is the ring full for it: readers of e that have not begun it are in a
 * lower epoch and not blocked, so they come or leave; of those that have begun it none is behind. So its
 * image is at the first place of the ring, and is decoded without anybody's help. (3) Members on their way
 * (us_gang_expect) hold no reading and wait for none; each comes (us_gang_join) or is known not to
 * (us_gang_miss). */
#ifndef US_LOADER_GANG_H
#define US_LOADER_GANG_H

#include "loader/reading.h"

struct us_gang;
struct us_gang_member;

enum unseen_status us_gang_new(struct us_gang **gang);
void us_gang_free(struct us_gang *gang); /* when all members have left */

/* So many are on their way: orders begin when each of them has come or is known not to. */
void us_gang_expect(struct us_gang *gang, int members);
void us_gang_miss(struct us_gang *gang);

/* One comes, of those on their way if `expected`: it trains on samples [n] and begins with `epoch`. `all`:
 * samples of the training split. */
enum unseen_status us_gang_join(struct us_gang *gang, bool expected, const int64_t *samples, int64_t n,
                                int64_t all, uint64_t seed, int epoch, struct us_gang_member **member);
void us_gang_leave(struct us_gang_member *member);

/* The way of a member through an epoch, ended with us_reader_end: its samples in the order of
 * us_shuffle(seed, US_STREAM_SHUFFLE, epoch), parts drawn by us_crop_random. UNSEEN_INTERRUPTED as
 * us_reader_take. */
enum unseen_status us_gang_begin(struct us_gang_member *member, struct us_images *images, int epoch,
                                 const struct us_waiting *waiting, struct us_reader **reader);

#endif
