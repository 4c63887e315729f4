/* The shape of a model: values (tensors without a batch) and the nodes that make one from another. Describes
 * only; nothing here touches a device. */
#ifndef US_NN_GRAPH_H
#define US_NN_GRAPH_H

#include "base/status.h"
#include "ops/pool.h"

struct us_value {
    int h, w, c; /* of one image */
};

enum us_node_kind { US_NODE_CONV, US_NODE_BATCHNORM, US_NODE_POOL, US_NODE_LINEAR };

struct us_node {
    enum us_node_kind kind;
    int x, residual, y;      /* values; residual is -1 where there is none */
    int kernel, stride, pad; /* convolution and pooling */
    enum us_pool_kind pool;  /* pooling */
    bool relu;               /* batch norm */
    int param;               /* first of its trained parameters; -1: none */
    int stat;                /* first of its running statistics (mean, then variance); -1: none */
};

/* How a parameter is drawn, and which of the two layouts below it has on the device. */
enum us_param_role {
    US_PARAM_CONV,   /* device [h][w][i][o], PyTorch [o,i,h,w] */
    US_PARAM_LINEAR, /* device [o][h][w][i], PyTorch [o, i*h*w]: features flattened from h x w x i */
    US_PARAM_BIAS,   /* drawn like the weights before it; all from here on: [o] */
    US_PARAM_ONE,    /* starts at 1 */
    US_PARAM_ZERO,   /* starts at 0 */
};

struct us_param {
    char name[64]; /* as in a PyTorch state dict */
    enum us_param_role role;
    int o, i, h, w;
    size_t count;  /* o * i * h * w */
    size_t offset; /* floats into its flat buffer */
};

struct us_params {
    struct us_param *item;
    int n;
    size_t count;   /* floats without padding */
    size_t floats;  /* with it */
    size_t weights; /* of these, those of convolutions and linear layers, which lie first */
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
int us_graph_batchnorm(struct us_graph *graph, const char *name, int x, int residual, bool relu);
int us_graph_pool(struct us_graph *graph, enum us_pool_kind kind, int x, int kernel, int stride, int pad);
int us_graph_linear(struct us_graph *graph, const char *name, int x, int out);

/* Whether node i is a convolution whose output goes to the next node, a batch norm, and to no other. */
bool us_graph_feeds_batchnorm(const struct us_graph *graph, int i);

/* Whether all that runs behind node i uses nothing from before it but its output. */
bool us_graph_cut_behind(const struct us_graph *graph, int i);

/* Numbers of one row of the last linear layer's input. */
int us_graph_feature_count(const struct us_graph *graph);

/* Offsets such that every parameter starts at a multiple of `align` bytes, weights before biases and scales:
 * that is how far weight decay may reach. */
void us_params_place(struct us_params *params, size_t align);

/* Where element (o,i,y,x) of a parameter lies on the device, in floats from its offset. */
size_t us_param_index(const struct us_param *param, int o, int i, int y, int x);

#endif
