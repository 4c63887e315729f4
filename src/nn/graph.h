/* The shape of a model: values (tensors without a batch) and the nodes that make one from another. Describes
 * only; nothing here touches a device. */
#ifndef US_NN_GRAPH_H
#define US_NN_GRAPH_H

#include "base/status.h"
#include "ops/activation.h"
#include "ops/pool.h"

struct us_value {
    int h, w, c; /* of one image */
};

enum us_node_kind { US_NODE_CONV, US_NODE_BATCHNORM, US_NODE_POOL, US_NODE_LINEAR, US_NODE_BIAS };

/* torch.nn.BatchNorm2d's, and those of other networks. */
struct us_norm {
    double eps, momentum; /* momentum: the share of a new batch in the running statistics */
    bool fixed_scale;     /* the scale stays 1: it is a frozen parameter */
};

struct us_node {
    enum us_node_kind kind;
    int x, residual, y;      /* values; residual is -1 where there is none */
    int kernel, stride, pad; /* convolution and pooling */
    enum us_pool_kind pool;  /* pooling */
    enum us_activation act;  /* batch norm and bias */
    struct us_norm norm;     /* batch norm */
    bool has_bias;           /* linear: as its second parameter */
    float scale;             /* linear: of its outputs */
    int param;               /* first of its parameters; -1: none */
    int stat;                /* first of its running statistics (mean, then variance); -1: none */
};

/* What a parameter is: its layout on the device and its place among the others (us_params_place). */
enum us_param_role {
    US_PARAM_CONV,   /* device [h][w][i][o], PyTorch [o,i,h,w] */
    US_PARAM_LINEAR, /* device [o][h][w][i], PyTorch [o, i*h*w]: features flattened from h x w x i */
    US_PARAM_BIAS,   /* all from here on: [o] */
    US_PARAM_SCALE,  /* of a batch norm */
    US_PARAM_SHIFT,  /* of a batch norm */
    US_PARAM_STAT,   /* running statistics */
};

/* How a parameter is drawn. */
enum us_param_init {
    US_INIT_NORMAL,  /* He normal, fan out (He et al., ICCV 2015) */
    US_INIT_UNIFORM, /* uniform in +-1/sqrt(fan_in): PyTorch's default */
    US_INIT_DIRAC,   /* the same, but of the first min(o, i) filters number k passes channel k on */
    US_INIT_ZERO,
    US_INIT_ONE,
    US_INIT_WHITEN, /* as US_INIT_UNIFORM until us_whiten_model computes them from the training images */
};

struct us_param {
    char name[64]; /* as in a PyTorch state dict */
    enum us_param_role role;
    enum us_param_init init;
    bool frozen; /* never trained: it has no gradient, and no step changes it */
    int fan_in;  /* of what is drawn uniformly */
    int o, i, h, w;
    size_t count;  /* o * i * h * w */
    size_t offset; /* floats into its flat buffer */
};

struct us_params {
    struct us_param *item;
    int n;
    size_t count;   /* floats without padding */
    size_t floats;  /* with it. The flat buffer holds, one behind the other, what ends at: */
    size_t weights; /* weights of convolutions and linear layers: that is how far weight decay may reach */
    size_t shifts;  /* biases and batch norm's scales; its shifts begin here */
    size_t trained; /* batch norm's shifts; behind it lies what is frozen */
};

struct us_graph {
    struct us_value *values; /* 0 is the input; the last node's y holds the logits */
    struct us_node *nodes;   /* in forward order */
    int n_values, n_nodes;
    struct us_params params, stats;
    enum unseen_status status; /* the first failure of a builder call */
};

/* Zero `graph` and give it an input of h x w x c. */
void us_graph_begin(struct us_graph *graph, int h, int w, int c);
void us_graph_free(struct us_graph *graph);

/* Each adds a node and returns its value. After a failure (kept in graph->status) they return -1 and accept
 * -1, so that a builder need check once, at its end. Names are those of PyTorch modules. */
int us_graph_conv(struct us_graph *graph, const char *name, int x, int cout, int kernel, int stride, int pad);
int us_graph_batchnorm(struct us_graph *graph, const char *name, int x, int residual, enum us_activation act,
                       const struct us_norm *norm); /* NULL: eps 1e-5, momentum 0.1, PyTorch's defaults */
int us_graph_pool(struct us_graph *graph, enum us_pool_kind kind, int x, int kernel, int stride, int pad);
int us_graph_linear(struct us_graph *graph, const char *name, int x, int out);
int us_graph_linear_scaled(struct us_graph *graph, const char *name, int x, int out,
                           float scale); /* times `scale`, without bias */
int us_graph_bias(struct us_graph *graph, const char *name, int x, enum us_activation act); /* drawn as 0 */

/* Of the parameter called `name`, added before: draw it like that instead, and freeze it. */
void us_graph_draw(struct us_graph *graph, const char *name, enum us_param_init init);
void us_graph_freeze(struct us_graph *graph, const char *name);

/* Whether node i is a convolution whose output goes to the next node, a batch norm, and to no other. */
bool us_graph_feeds_batchnorm(const struct us_graph *graph, int i);

/* The parameters of node i are item[param] to item[param + this - 1]. */
int us_node_params(const struct us_node *node);

/* Whether a value's gradient is wanted, wanted [n_values]: where a trained parameter lies before it. Of every
 * residual it is, since batch norm takes one without gradient for none. */
void us_graph_find_wanted(const struct us_graph *graph, bool *wanted);

/* Whether all that runs behind node i uses nothing from before it but its output. */
bool us_graph_cut_behind(const struct us_graph *graph, int i);

/* Numbers of one row of the last linear layer's input. */
int us_graph_feature_count(const struct us_graph *graph);

/* Of an image's way forward, multiply-add = 2, convolutions and linear layers (flops.c). */
double us_graph_flops(const struct us_graph *graph);

/* Offsets such that every parameter starts at a multiple of `align` bytes, in the order of struct us_params;
 * among those of a kind in the order in which they were added. */
void us_params_place(struct us_params *params, size_t align);

/* Whether it belongs to a convolution or a linear layer, and is no bias. */
bool us_param_is_weight(const struct us_param *param);

/* Where element (o,i,y,x) of a parameter lies on the device, in floats from its offset. */
size_t us_param_index(const struct us_param *param, int o, int i, int y, int x);

#endif
