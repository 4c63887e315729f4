/* A dataset for a device, and the model in use there. */
#ifndef US_NN_SESSION_H
#define US_NN_SESSION_H

#include <stdatomic.h>

#include "loader/gang.h"
#include "nn/input.h"
#include "nn/train.h"

/* A dataset's images in one of the sizes that a recipe takes. */
struct us_view {
    struct us_image_input input;
    struct us_images *images;
    struct us_buf *pixels[2]; /* by enum unseen_split, as evaluation takes them; NULL where a split is empty,
                                 or is sent batch by batch */
};

struct us_session {
    struct unseen_device *device;
    const struct unseen_dataset *data;
    struct us_view view[US_SIZES_MOST]; /* by us_input_sizes: evaluation's first, the others for training
                                           alone; all have the same input.resized */
    int views;
    struct us_buf *labels[2];  /* NULL where a split is empty */
    struct us_model *model;    /* kept from job to job while the specification stays */
    struct us_model_spec spec; /* of that model */
    char name[32];             /* spec.name points here */
    int64_t n;                 /* samples of an epoch that us_session_models was called for last */
    uint64_t algorithms;  /* us_algorithms_hash of the recipe that us_session_models was called for last */
    bool borrows;         /* views and labels belong to another */
    struct us_gang *gang; /* models that may share what is decoded; NULL: none */
    bool expected;        /* the gang waits for this session's first model */
    atomic_bool *stop;    /* set: stop as on an interrupt; may be NULL */
};

/* True if passes are to stop: on an interrupt, or because another thread failed. */
bool us_session_stopped(const struct us_session *session);

/* True if any pass has its pixels sent batch by batch. */
bool us_session_streams(const struct us_session *session);

/* UNSEEN_FAILED if it was not made for the sizes and crops of this recipe. */
enum unseen_status us_session_check(const struct us_session *session, const struct unseen_recipe *recipe);

/* The view that a training epoch takes, or US_EVALUATION. */
const struct us_view *us_session_view(const struct us_session *session, const struct unseen_recipe *recipe,
                                      int epoch);

/* Bytes of one image, the largest. */
size_t us_session_image_bytes(const struct us_session *session);

/* What the model of `recipe` for images of a dataset is, height and width `size`; its name lies in the
 * recipe. */
struct us_model_spec us_spec_of(const struct unseen_recipe *recipe, const struct unseen_dataset *data,
                                int size);

/* What the model of `recipe` takes from the device at most, whatever the size of its images, for epochs of
 * `least` samples or more. */
enum unseen_status us_session_model_memory(const struct us_session *session,
                                           const struct unseen_recipe *recipe, int64_t least,
                                           uint64_t *bytes);

/* The model of `recipe` for epochs of `n` images of `size`, parameters undefined. Owned by the session; valid
 * until the next call with another size, model, width or batch, and until it is dropped. */
enum unseen_status us_session_model(struct us_session *session, const struct unseen_recipe *recipe, int64_t n,
                                    int size, struct us_model **model);

/* That of each size of the recipe, one after the other, so that what does not fit the device, or is still to
 * be compiled, comes before training does. The last is that for evaluation. */
enum unseen_status us_session_models(struct us_session *session, const struct unseen_recipe *recipe,
                                     int64_t n, struct us_model **model);

/* The model that the session holds, for images of another size: made anew, all bits of its state as they
 * were. */
enum unseen_status us_session_resize(struct us_session *session, const struct unseen_recipe *recipe, int size,
                                     struct us_model **model);

/* Free it now. */
void us_session_drop_model(struct us_session *session);

#endif
