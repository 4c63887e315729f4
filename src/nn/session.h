/* A dataset for a device, and the model in use there. */
#ifndef US_NN_SESSION_H
#define US_NN_SESSION_H

#include <stdatomic.h>

#include "loader/gang.h"
#include "nn/train.h"

struct us_session {
    struct unseen_device *device;
    const struct unseen_dataset *data;
    struct us_image_input input;
    struct us_images *images;
    struct us_buf *pixels[2];  /* by enum unseen_split, as evaluation takes them; NULL where a split is empty,
                                  or  is sent batch by batch */
    struct us_buf *labels[2];  /* NULL where a split is empty */
    struct us_model *model;    /* kept from job to job while the specification stays */
    struct us_model_spec spec; /* of that model */
    char name[32];             /* spec.name points here */
    bool borrows;              /* images, pixels and labels belong to another */
    struct us_gang *gang;      /* models that may share what is decoded; NULL: none */
    bool expected;             /* the gang waits for this session's first model */
    atomic_bool *stop;         /* set: stop as on an interrupt; may be NULL */
};

/* True if passes are to stop: on an interrupt, or because another thread failed. */
bool us_session_stopped(const struct us_session *session);

/* True if any pass has its pixels sent batch by batch. */
bool us_session_streams(const struct us_session *session);

/* What the model of `recipe` for a dataset is; its name lies in the recipe. */
struct us_model_spec us_spec_of(const struct unseen_recipe *recipe, const struct unseen_dataset *data);
struct us_model_spec us_session_spec(const struct us_session *session, const struct unseen_recipe *recipe);

/* The model of `recipe` for this dataset, parameters undefined. Owned by the session; valid until the next
 * call with another model, width or batch, and until it is dropped. */
enum unseen_status us_session_model(struct us_session *session, const struct unseen_recipe *recipe,
                                    struct us_model **model);

/* Free it now. */
void us_session_drop_model(struct us_session *session);

#endif
