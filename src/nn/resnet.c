#include "config.h"

#include <stdio.h>

#include "nn/input.h"
#include "nn/models.h"

/* Residual networks of basic and of bottleneck blocks (He et al., CVPR 2016), with torchvision's names. */

/* Adds a block that is `width` channels wide inside; returns its output. */
typedef int block_builder(struct us_graph *graph, const char *prefix, int x, int width, int stride);

/* conv + batch norm as modules "<prefix><conv>" and "<prefix><bn>". */
static int conv_bn(struct us_graph *graph, const char *prefix, const char *conv, const char *bn, int x,
                   int width, int kernel, int stride, int residual, enum us_activation act)
{
    char name[48];
    snprintf(name, sizeof name, "%s%s", prefix, conv);
    int y = us_graph_conv(graph, name, x, width, kernel, stride, kernel / 2);
    snprintf(name, sizeof name, "%s%s", prefix, bn);
    return us_graph_batchnorm(graph, name, y, residual, act, NULL);
}

/* What a block adds to: its input, or a projection of it where the shapes differ. */
static int shortcut(struct us_graph *graph, const char *prefix, int x, int width, int stride)
{
    if (graph->status || (stride == 1 && graph->values[x].c == width))
        return x;
    return conv_bn(graph, prefix, "downsample.0", "downsample.1", x, width, 1, stride, -1, US_ACT_NONE);
}

static int basic_block(struct us_graph *graph, const char *prefix, int x, int width, int stride)
{
    int y = conv_bn(graph, prefix, "conv1", "bn1", x, width, 3, stride, -1, US_ACT_RELU);
    int skip = shortcut(graph, prefix, x, width, stride);
    return conv_bn(graph, prefix, "conv2", "bn2", y, width, 3, 1, skip, US_ACT_RELU);
}

/* The stride is the 3x3 convolution's, not the first one's as published: torchvision's version 1.5. */
static int bottleneck(struct us_graph *graph, const char *prefix, int x, int width, int stride)
{
    const int out = 4 * width;
    int y = conv_bn(graph, prefix, "conv1", "bn1", x, width, 1, 1, -1, US_ACT_RELU);
    y = conv_bn(graph, prefix, "conv2", "bn2", y, width, 3, stride, -1, US_ACT_RELU);
    int skip = shortcut(graph, prefix, x, out, stride);
    return conv_bn(graph, prefix, "conv3", "bn3", y, out, 1, 1, skip, US_ACT_RELU);
}

static void build(struct us_graph *graph, const struct us_model_spec *spec, block_builder *block,
                  const int blocks[4])
{
    int y;
    if (spec->height <= US_SMALL_SIZE) {
        y = conv_bn(graph, "", "conv1", "bn1", 0, spec->width, 3, 1, -1, US_ACT_RELU);
    } else {
        y = conv_bn(graph, "", "conv1", "bn1", 0, spec->width, 7, 2, -1, US_ACT_RELU);
        y = us_graph_pool(graph, US_POOL_MAX, y, 3, 2, 1);
    }
    for (int stage = 0; stage < 4; stage++) {
        for (int i = 0; i < blocks[stage]; i++) {
            char prefix[24];
            snprintf(prefix, sizeof prefix, "layer%d.%d.", stage + 1, i);
            y = block(graph, prefix, y, spec->width << stage, stage > 0 && i == 0 ? 2 : 1);
        }
    }
    if (graph->status)
        return;
    y = us_graph_pool(graph, US_POOL_AVERAGE, y, graph->values[y].h, 1, 0);
    us_graph_linear(graph, "fc", y, spec->classes);
}

void us_build_resnet10(struct us_graph *graph, const struct us_model_spec *spec)
{
    build(graph, spec, basic_block, (const int[]){1, 1, 1, 1});
}

void us_build_resnet18(struct us_graph *graph, const struct us_model_spec *spec)
{
    build(graph, spec, basic_block, (const int[]){2, 2, 2, 2});
}

void us_build_resnet34(struct us_graph *graph, const struct us_model_spec *spec)
{
    build(graph, spec, basic_block, (const int[]){3, 4, 6, 3});
}

void us_build_resnet50(struct us_graph *graph, const struct us_model_spec *spec)
{
    build(graph, spec, bottleneck, (const int[]){3, 4, 6, 3});
}
