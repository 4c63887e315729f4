/* What a model is made of, for the files that build, run, draw and store it. */
#ifndef US_NN_MODEL_PARTS_H
#define US_NN_MODEL_PARTS_H

#include "nn/flat.h"
#include "nn/models.h"
#include "nn/plan.h"
#include "ops/batchnorm.h"
#include "ops/bias.h"
#include "ops/conv/conv.h"
#include "ops/linear.h"

/* A node's operator on the device: the one of its kind. */
struct us_layer {
    struct us_conv *conv;
    struct us_batchnorm *batchnorm;
    struct us_pool *pool;
    struct us_linear *linear;
    struct us_bias *bias;
};

struct us_model {
    struct unseen_device *device;
    struct us_model_spec spec; /* its name points into `name` */
    char name[32];
    struct us_graph graph;
    struct us_plan plan;
    struct us_layer *layers; /* [graph.n_nodes] */
    bool *fused; /* [graph.n_nodes]: convolutions that share the work of the batch norm behind them */
    size_t workspace_bytes, shared_bytes, unwanted_bytes;
    struct us_buf *workspace;
    struct us_buf *shared;  /* between the two: moments or what evaluation makes of the running statistics */
    struct us_buf **slots;  /* [plan.n_slots] */
    struct us_buf **places; /* [plan.n_places], windows of these */

    struct us_flat params, grads, velocity; /* laid out by graph.params */
    struct us_flat stats, saved;     /* by graph.stats; saved: batch mean and 1/std for the backward pass */
    struct us_buf *unwanted[2];      /* takes the gradients of frozen vectors, which operators find anyway */
    struct us_flat slow, slow_stats; /* with spec.lookahead: averages of parameters and running statistics */
    struct us_buf *sum;              /* of the gradients of a step's parts; NULL where there is one */
    bool frozen;                     /* batch norm by running statistics in training passes too */
    struct us_buf *scaling;          /* of the loss, see ops/scaling.h; f16 training only */
    int64_t batches;                 /* training passes so far: PyTorch's num_batches_tracked */
};

/* Whether training passes run through a model of this spec. */
static inline bool us_model_learns(const struct us_model_spec *spec)
{
    return spec->training && !spec->evaluates;
}

/* us_model_new for any builder: what tests build their own graphs with. */
enum unseen_status us_model_build(struct unseen_device *device, const struct us_model_spec *spec,
                                  us_builder *builder, struct us_model **model);

/* All of that but memory on the device: graph, operators, plan. Freed with us_model_free. */
enum unseen_status us_model_prepare(struct unseen_device *device, const struct us_model_spec *spec,
                                    us_builder *builder, struct us_model **model);

/* The flat buffer of a part. UNSEEN_USAGE for one that a model without training lacks. */
enum unseen_status us_model_flat(const struct us_model *model, enum us_model_part part,
                                 const struct us_flat **flat);

#endif
