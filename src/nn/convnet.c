#include "config.h"

#include <stdio.h>

#include "nn/models.h"

/* The three-block ConvNet that dataset distillation made a standard (Gidaris and Komodakis, CVPR 2018), with
 * batch norm. */
void us_build_convnet3(struct us_graph *graph, const struct us_model_spec *spec)
{
    int y = 0;
    for (int block = 1; block <= 3; block++) {
        char name[16];
        snprintf(name, sizeof name, "conv%d", block);
        y = us_graph_conv(graph, name, y, spec->width, 3, 1, 1);
        snprintf(name, sizeof name, "bn%d", block);
        y = us_graph_batchnorm(graph, name, y, -1, US_ACT_RELU, NULL);
        y = us_graph_pool(graph, US_POOL_AVERAGE, y, 2, 2, 0);
    }
    us_graph_linear(graph, "fc", y, spec->classes);
}
