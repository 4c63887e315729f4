/* Progress on stderr: a bar with rate and time left on a terminal, one line a minute otherwise. */
#ifndef US_BASE_PROGRESS_H
#define US_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct us_progress; /* opaque */

/* Units of work, such as images, and what they cost: seconds by a plan, or any measure that all parts of a
 * display have in common. The time left goes by the cost: an image that is trained on takes longer than one
 * that is looked at. */
struct us_amount {
    uint64_t units;
    double cost;
};

/* Begin a display of `total` units named e.g. "images", which cost the same; 0: not known. It counts also
 * where nothing is shown. NULL if memory is short, which every call below accepts: a display is never a
 * reason to fail. */
struct us_progress *us_progress_begin(const char *title, const char *unit, uint64_t total);

/* The same of a whole that parts work on. */
struct us_progress *us_progress_whole(const char *title, const char *unit, struct us_amount total);

/* A display's share in a larger one, for one of several threads: what it is told to have done counts there,
 * and its title, if it is another than the whole's, comes before its notes. `whole` counts `planned` for it,
 * of which `total` turns out to be left. `whole` must outlive it; NULL is accepted. */
struct us_progress *us_progress_part(struct us_progress *whole, const char *title, struct us_amount planned,
                                     struct us_amount total);

/* Of what a display counts, and the whole that it is a part of, `planned` turns out to be `now`. */
void us_progress_change(struct us_progress *progress, struct us_amount planned, struct us_amount now);

/* So much more is done; `note` (may be NULL) stands at the end of the line, e.g. "loss 1.234". Cheap enough
 * for every step: most calls show nothing. Rate and time left count from the first call. */
void us_progress_add(struct us_progress *progress, struct us_amount more, const char *note);

/* The same where all units cost the same: `done` so far. What is done at a display's first call was before.
 */
void us_progress_update(struct us_progress *progress, uint64_t done, const char *note);

/* What is counted on, and how much of it is done. */
struct us_amount us_progress_total(struct us_progress *progress);
struct us_amount us_progress_done(struct us_progress *progress);

/* Clear the bar and free. */
void us_progress_end(struct us_progress *progress);

/* Tell the time by `now` (seconds) instead of the monotonic clock; NULL: that clock again. For tests. */
void us_progress_clock(double (*now)(void));

#endif
