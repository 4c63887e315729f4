/* Models: a graph of operators with its parameters in flat buffers. */
#ifndef US_NN_MODEL_H
#define US_NN_MODEL_H

#include "device/device.h"
#include "unseen/train.h"

struct us_model; /* parameters, gradients, velocity (flat), running statistics, activations, workspaces */

struct us_model_spec {
    const char *name; /* in models.def */
    int width, classes;
    int height, channels_in; /* square images; up to 64 pixels resnets begin with a 3x3 convolution of
                                stride 1, above with 7x7 of stride 2 and a max pool of stride 2 */
    int batch;               /* largest that passes through at once */
    enum unseen_precision precision;
    bool training;  /* gradients and velocity are allocated only then */
    int accumulate; /* training: parts that a step's gradients are summed up from; 0: 1, never more */
    bool recompute; /* training: most activations are not kept for the backward pass but made again there:
                       a third more work, less memory, the same gradients to the bit */
    bool lookahead; /* training: an average of the weights is kept beside them */
    bool evaluates; /* training: hold all that training has made, but with room for evaluation alone */
};

/* Bytes that a model of this spec needs on `device`, all told. */
enum unseen_status us_model_memory(struct unseen_device *device, const struct us_model_spec *spec,
                                   uint64_t *bytes);

/* Build. UNSEEN_FAILED if it does not fit the device: says how much it needs, how much there is, and the
 * largest batch that would fit. Parameters are undefined until us_model_init or us_model_load. */
enum unseen_status us_model_new(struct unseen_device *device, const struct us_model_spec *spec,
                                struct us_model **model);
void us_model_free(struct us_model *model);

/* Draw parameters as the graph says (enum us_param_init); running mean 0, variance 1; velocity 0. Philox
 * US_STREAM_INIT, so equal on every device. */
enum unseen_status us_model_init(struct us_model *model, uint64_t seed);

/* .safetensors with PyTorch's names and layouts (torchvision-style ResNet: conv1.weight OIHW, bn1.*,
 * layer1.0.conv1.weight, layer2.0.downsample.0.weight, fc.weight, ...; num_batches_tracked is accepted and
 * written as int64). Load refuses missing, unknown and misshaped tensors by name (UNSEEN_BAD_DATA). */
enum unseen_status us_model_save(struct us_model *model, const char *path);
enum unseen_status us_model_load(struct us_model *model, const char *path);

/* What training starts from: as us_model_load, but where the last linear layer is of another number of
 * classes, and nothing else differs, it is drawn from `seed`, with a warning: fine-tuning. */
enum unseen_status us_model_start(struct us_model *model, const char *path, uint64_t seed);

/* Input [n,h,w,c] and output [n,classes] of the passes below: the caller writes x and reads logits, dlogits
 * between them. */
struct us_buf *us_model_input(struct us_model *model);
struct us_buf *us_model_logits(struct us_model *model);
struct us_buf *us_model_dlogits(struct us_model *model);

/* The last linear layer's input [n,us_model_feature_count], there between a forward pass and what follows. */
struct us_buf *us_model_features(struct us_model *model);
int us_model_feature_count(const struct us_model *model);

/* From now on training passes take running statistics, as evaluation does, and leave them alone: gradients
 * are those of the model as it is evaluated. */
void us_model_freeze(struct us_model *model);

/* The state of loss scaling, for us_loss; NULL where gradients need none. */
struct us_buf *us_model_scaling(struct us_model *model);

/* Enqueue. training: batch statistics (and their running averages move). */
enum unseen_status us_model_forward(struct us_model *model, int n, bool training);
enum unseen_status us_model_backward(struct us_model *model, int n);

/* Behind us_model_backward, where a step takes several parts: put its gradients to the sum of those before,
 * none before the `first`. Behind the `last` the sum is the gradients. */
enum unseen_status us_model_accumulate(struct us_model *model, bool first, bool last);

/* One optimiser step on the gradients that backward left; none where loss scaling finds that they overflowed.
 */
struct us_sgd;
enum unseen_status us_model_step(struct us_model *model, const struct us_sgd *sgd);

/* Lookahead (Zhang et al., NeurIPS 2019) over parameters and running statistics. Begin: the averages are the
 * weights. Then each goes the part `weight` of the way to the weights, which go on from there; 0: the weights
 * become the averages. */
enum unseen_status us_model_lookahead_begin(struct us_model *model);
enum unseen_status us_model_lookahead(struct us_model *model, float weight);

/* Set a step's groups: shifts of batch norm have a learning rate `bias_lr` (above 0) times that of others and
 * a weight decay as many times smaller, so that they decay as fast; without decay_all no other parameters
 * decay than the weights of convolutions and linear layers. */
void us_model_groups(const struct us_model *model, float bias_lr, bool decay_all, struct us_sgd *sgd);

/* Host copies for checkpoints and checks. kinds: what of the model. `count` floats each (0 for
 * what a model does not have); order fixed for a spec. */
enum us_model_part {
    US_MODEL_PARAMS,
    US_MODEL_GRADS,
    US_MODEL_VELOCITY,
    US_MODEL_STATS,
    US_MODEL_SCALING,
    US_MODEL_SLOW,      /* averages of the parameters, with spec.lookahead */
    US_MODEL_SLOW_STATS /* the same of the running statistics */
};
size_t us_model_count(const struct us_model *model, enum us_model_part part);
enum unseen_status us_model_get(struct us_model *model, enum us_model_part part, float *values);
enum unseen_status us_model_set(struct us_model *model, enum us_model_part part, const float *values);

/* Gradients of trained parameters under PyTorch's names and layouts (parity checks). */
enum unseen_status us_model_save_grads(struct us_model *model, const char *path);

/* Forward FLOPs of one image (multiply-add = 2), convolutions and linear. */
double us_model_flops(const struct us_model *model);

#endif
