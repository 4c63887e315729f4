/* Progress on stderr: a bar with rate and time left on a terminal, one line a minute otherwise. */
#ifndef US_BASE_PROGRESS_H
#define US_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct us_progress; /* opaque */

/* Begin a display of `total` units named e.g. "images"; 0: not known. Returns NULL if progress is off or
 * memory is short, which every call below accepts: a display is never a reason to fail. */
struct us_progress *us_progress_begin(const char *title, const char *unit, uint64_t total);

/* A display's share in a larger one, for one of several threads: what it is told to have done counts there,
 * and its title comes before its notes. `whole` counts `planned` units for it, of which `total` turn out to
 * be left. `whole` must outlive it; NULL is accepted. */
struct us_progress *us_progress_part(struct us_progress *whole, const char *title, uint64_t planned,
                                     uint64_t total);

/* `done` units so far; `note` (may be NULL) stands at the end of the line, e.g. "loss 1.234".
 * Cheap enough for every step: most calls show nothing. Rate and time left count from the first call. */
void us_progress_update(struct us_progress *progress, uint64_t done, const char *note);

/* Clear the bar and free. */
void us_progress_end(struct us_progress *progress);

/* Tell the time by `now` (seconds) instead of the monotonic clock; NULL: that clock again. For tests. */
void us_progress_clock(double (*now)(void));

#endif
