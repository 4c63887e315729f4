/* How samples get to a model: passes over parts of a dataset, enqueued one behind the other. The host
 * prepares batches while the device computes earlier ones, and waits only for what lies two windows of
 * batches back, so that the device always has work and no more than about a quarter of a second of it. What
 * the passes of an epoch record stays on the device and is read at once when they are over. */
#ifndef US_NN_LOADER_H
#define US_NN_LOADER_H

#include "base/progress.h"
#include "loader/gang.h"
#include "nn/train.h"

enum {
    US_INFLIGHT = 2,          /* under way at a time */
    US_INFLIGHT_BATCHES = 16, /* batches of one */
    US_STAGED = 3             /* batches of a streamed split that the host is ahead by */
};

/* One pass of a model over samples of a split. It stays in use until us_loader_finish. */
struct us_pass {
    enum unseen_split split;
    const int64_t *samples; /* [n], in the order in which they are to be fed */
    int64_t n;
    const float *weights; /* [n] what their gradients are multiplied by; NULL: 1. Copied when enqueued */
    const struct unseen_recipe *recipe;
    uint64_t seed;      /* of augmentation */
    uint64_t crop_seed; /* of random parts of pictures, and of the order then: those of a whole run */
    struct us_gang_member *member; /* with whom they are decoded; NULL: alone */
    int epoch;
    bool training;   /* augment, take gradients and step; else evaluate with running statistics */
    bool unrecorded; /* for an observer alone: the quantities are not wanted */
    int64_t first_step, steps, steps_per_epoch; /* of the schedule, training only; .. */
    int64_t own_steps; /* .. those of this pass, which walks through it in longer ones if it has fewer */
    enum unseen_views views;      /* of an evaluation */
    struct us_progress *progress; /* may be NULL */
    const struct us_price *price; /* of its images there, as us_work_amount takes it */
    const char *note;
    enum us_pass_kind kind;
    const struct us_observer *observer; /* NULL: none */
    int see;                            /* what it wants of this pass */
    struct us_pass *next;     /* that is enqueued behind it: what it needs is decoded ahead; may be NULL */
    struct us_reader *reader; /* its images, where they are decoded */
    int64_t order, record;    /* where its samples and its record begin; set when it is enqueued */
};

/* Batches that the host waits for together. */
struct us_inflight {
    const struct us_pass *pass;
    int64_t at; /* samples at..at+n-1 of the pass */
    int n, batches;
    cl_event mark; /* behind the last batch, once it is enqueued */
};

/* Rows set aside for an observer, those of each window in a half of their own. */
struct us_capture {
    struct us_buf *buf; /* [US_INFLIGHT][rows of a window][each]; NULL: not wanted */
    float *host;        /* the same */
    int each;           /* floats of a row */
};

/* Pixels on their way from host memory. */
struct us_staging {
    struct us_buf *pixels, *places; /* uint8 [batch][h,w,c]; int32 [batch]: 0, 1, 2, ... */
    uint8_t *host[US_STAGED];
    cl_event sent[US_STAGED];
    int next;
    cl_event fed; /* behind the last batch that was sent: the device is idle from there on */
};

/* What the passes of an epoch come to at most. */
struct us_loader_size {
    int64_t passed, recorded; /* samples, in all passes together */
    int batch;
    bool weighted;     /* some pass has weights */
    bool views;        /* some pass has several looks at an image */
    int see;           /* of US_SEE_*: what an observer wants of any pass */
    int feature_count; /* of the model, if it wants features */
};

struct us_loader {
    struct unseen_device *device;
    struct us_loader_size size;
    struct us_buf *order;   /* int32 [passed] */
    struct us_buf *rows;    /* int32 [batch]: the samples of one batch */
    struct us_buf *weights; /* float32 [passed]; NULL: no pass has any */
    struct us_buf *average; /* float32 [batch, classes]: logits, over looks; NULL: no pass has several */
    struct us_buf *record;  /* float32: [UNSEEN_N_ALWAYS + 1][n] of each pass behind the other */
    int32_t *host_order;
    float *host_weights;
    float *host_record;
    int64_t passed, recorded; /* so far */
    struct us_inflight inflight[US_INFLIGHT];
    int current; /* the window that is being filled */
    int batches; /* of a window */
    double since;
    struct us_capture probs, features;
    struct us_staging staging;
    double seconds, waited; /* of passes; and of these, with the device idle, for images */
    bool starves;           /* it wants an image, and its queue is empty */
    int64_t fed;            /* images */
};

/* What a loader takes from the device. */
uint64_t us_loader_bytes(const struct us_session *session, const struct us_loader_size *size);

/* The same without a session; `streamed`: bytes of an image, 0 where none are sent batch by batch. */
uint64_t us_loader_bytes_of(const struct us_loader_size *size, int classes, size_t streamed);

/* Freed with us_loader_free, which waits for the device, also after a failure. */
enum unseen_status us_loader_new(const struct us_session *session, const struct us_loader_size *size,
                                 struct us_loader *loader);
void us_loader_free(struct us_loader *loader);

/* Of the schedule, or US_EVALUATION: what its images' size depends on. */
int us_pass_epoch(const struct us_pass *pass);

/* The learning rate of the step that position `at` of a training pass falls into. */
float us_pass_lr(const struct us_pass *pass, int64_t at);

/* Begin to decode what a pass takes, unless that has begun. Every pass that this was called for is ended with
 * us_pass_end; us_pass_enqueue does both by itself. UNSEEN_INTERRUPTED, without a message, after an
 * interrupt. */
enum unseen_status us_pass_prepare(struct us_session *session, struct us_loader *loader,
                                   struct us_pass *pass);
void us_pass_end(struct us_pass *pass);

/* Enqueue a pass behind those since the last us_loader_finish. UNSEEN_INTERRUPTED, without a message, if an
 * interrupt came in between: the model is then in the middle of a pass. */
enum unseen_status us_pass_enqueue(struct us_session *session, struct us_model *model,
                                   struct us_loader *loader, struct us_pass *pass);

/* Wait for all passes and fetch what they recorded. */
enum unseen_status us_loader_finish(struct us_loader *loader);

/* Of a finished pass: [UNSEEN_N_ALWAYS + 1][n] in the order of its samples, the last row being the
 * objective. Valid until the next pass is enqueued. */
const float *us_loader_record(const struct us_loader *loader, const struct us_pass *pass);

/* ---- loader.c and observe.c, for passes.c ---- */

/* Enqueue the way of samples at..at+n-1 of a pass to loader->rows and to `input`, a model's. */
enum unseen_status us_loader_batch(struct us_session *session, struct us_buf *input, struct us_loader *loader,
                                   const struct us_pass *pass, int64_t at, int n);

/* The images that us_loader_batch fetched last to `input` again, seen otherwise. */
struct us_look;
enum unseen_status us_loader_look(struct us_session *session, struct us_buf *input, struct us_loader *loader,
                                  const struct us_pass *pass, int n, const struct us_look *look);

/* What rows set aside for an observer take from the device, and room for them. */
uint64_t us_observe_bytes(int classes, const struct us_loader_size *size);
enum unseen_status us_observe_new(const struct us_session *session, struct us_loader *loader);

/* Set aside what the `n` samples just enqueued compute, as the next of the window under way. */
enum unseen_status us_observe_batch(struct us_session *session, struct us_model *model,
                                    struct us_loader *loader, const struct us_pass *pass, int n);

/* Enqueue the way back of all that the window has set aside. */
enum unseen_status us_observe_fetch(struct us_loader *loader, const struct us_inflight *inflight);

/* Hand it over when it is there. */
enum unseen_status us_observe(struct us_loader *loader, const struct us_inflight *inflight);

void us_capture_free(struct us_loader *loader, struct us_capture *capture);

#endif
