/* The threads that decode images: one pool a process, and the one lock that all who feed it share. Work is in
 * pieces of an image each. Nothing waits with the lock held but in us_decoders_wait, which releases it. */
#ifndef US_LOADER_DECODERS_H
#define US_LOADER_DECODERS_H

#include <stdint.h>

#include "base/status.h"

/* Where pieces come from. */
struct us_decoder_work {
    /* With the lock held: set *piece to one that is to be done now; false if there is none at present. */
    bool (*claim)(struct us_decoder_work *work, int64_t *piece);
    /* Without it, in thread 0 .. us_decoders_count() - 1; true if it succeeded. */
    bool (*decode)(struct us_decoder_work *work, int thread, int64_t piece);
    /* With the lock held again. */
    void (*done)(struct us_decoder_work *work, int64_t piece, bool succeeded);

    struct us_decoder_work *next; /* of those added later */
    int busy;                     /* threads in decode */
};

/* What the threads have done since the process began. */
struct us_decoders_use {
    int threads;
    int64_t images;
    double busy, seconds; /* of all threads together; since the first of them started */
};

/* Threads run from the first of these calls that has not met its us_decoders_end until that. UNSEEN_FAILED if
 * no thread can be started. */
enum unseen_status us_decoders_begin(void);
void us_decoders_end(void);
int us_decoders_count(void);

/* So many at the next us_decoders_begin; 0: one for each processor. For measurements and tests. */
void us_decoders_limit(int threads);

void us_decoders_lock(void);
void us_decoders_unlock(void);

/* The rest with the lock held. Work that was added earlier goes first; removing waits for its pieces. */
void us_decoders_add(struct us_decoder_work *work);
void us_decoders_remove(struct us_decoder_work *work);

/* A claim that failed may succeed now. */
void us_decoders_wake(void);

/* Until a piece is done or us_decoders_notify is called, `seconds` at most. */
void us_decoders_wait(double seconds);
void us_decoders_notify(void);

/* Count one that was decoded by another thread. */
void us_decoders_note(double seconds);

struct us_decoders_use us_decoders_use(void); /* takes the lock itself */

#endif
