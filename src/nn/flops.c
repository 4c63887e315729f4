#include "config.h"

#include "nn/graph.h"
#include "ops/conv/conv.h"

static double count(struct us_value value)
{
    return (double)value.h * value.w * value.c;
}

double us_graph_flops(const struct us_graph *graph)
{
    double sum = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        const struct us_node *node = &graph->nodes[i];
        const struct us_value x = graph->values[node->x], y = graph->values[node->y];
        if (node->kind == US_NODE_CONV) {
            struct us_conv_shape shape = {1,         x.h,           x.w, x.c, y.c, node->kernel, node->stride,
                                          node->pad, UNSEEN_FLOAT32};
            sum += us_conv_flops(&shape, 1);
        } else if (node->kind == US_NODE_LINEAR) {
            sum += 2.0 * count(x) * count(y);
        }
    }
    return sum;
}
