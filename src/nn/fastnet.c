#include "config.h"

#include <stdio.h>

#include "nn/input.h"
#include "nn/models.h"

/* The network of airbench94, as elastic-airbench scores data with it (Jordan, arXiv 2404.00498), and the
 * smaller one of airbench93. As modules of PyTorch, with k = 24 = 2 * 12 filters of 2x2x3 and widths w1, w2,
 * w3:
 *
 *   whiten       Conv2d(3, k, 2)                    weight [k,3,2,2] frozen, computed from the training
 * images; bias [k] GELU groupN, N = 1..3: conv1      Conv2d(w(N-1), wN, 3, padding=1)   weight
 * [wN,w(N-1),3,3], w0 = k; no bias MaxPool2d(2) norm1      BatchNorm2d(wN, eps=1e-12)         weight [wN]
 * frozen at 1, bias [wN], running_mean, running_var GELU conv2      Conv2d(wN, wN, 3, padding=1)       weight
 * [wN,wN,3,3]; no bias norm2      as norm1 GELU max over all pixels that are left fc           Linear(w3,
 * classes, bias=False)    weight [classes,w3]; its output times 1/9
 *
 * Convolutions of the groups start as the identity as far as they can (US_INIT_DIRAC). Batch norm keeps
 * PyTorch's momentum of 0.1, as elastic-airbench does where airbench94 has 0.4. */

enum { SMALLEST = 16 }; /* pixels: 1 is left of them behind the groups */

static const struct us_norm norm = {.eps = 1e-12, .momentum = 0.1, .fixed_scale = true};

static int conv(struct us_graph *graph, const char *module, int x, int width)
{
    char weight[48];
    int y = us_graph_conv(graph, module, x, width, 3, 1, 1);
    snprintf(weight, sizeof weight, "%s.weight", module);
    us_graph_draw(graph, weight, US_INIT_DIRAC);
    return y;
}

static int group(struct us_graph *graph, int number, int x, int width)
{
    char module[4][24];
    static const char *const names[] = {"conv1", "norm1", "conv2", "norm2"};
    for (int i = 0; i < 4; i++)
        snprintf(module[i], sizeof module[i], "group%d.%s", number, names[i]);
    int y = conv(graph, module[0], x, width);
    y = us_graph_pool(graph, US_POOL_MAX, y, 2, 2, 0);
    y = us_graph_batchnorm(graph, module[1], y, -1, US_ACT_GELU, &norm);
    y = conv(graph, module[2], y, width);
    return us_graph_batchnorm(graph, module[3], y, -1, US_ACT_GELU, &norm);
}

static void build(struct us_graph *graph, const struct us_model_spec *spec, int widening)
{
    const int patch = 2 * 2 * spec->channels_in, wide = widening * spec->width;
    if (spec->height < SMALLEST || spec->height > US_SMALL_SIZE) {
        graph->status = us_fail(UNSEEN_USAGE, "model", "%s takes images of %d to %d pixels, not of %d",
                                spec->name, SMALLEST, US_SMALL_SIZE, spec->height);
        us_hint("--size %d makes them fit, and resnet18 takes any", US_SMALL_SIZE);
        return;
    }
    int y = us_graph_conv(graph, "whiten", 0, 2 * patch, 2, 1, 0);
    us_graph_draw(graph, "whiten.weight", US_INIT_WHITEN);
    us_graph_freeze(graph, "whiten.weight");
    y = us_graph_bias(graph, "whiten", y, US_ACT_GELU);
    y = group(graph, 1, y, spec->width);
    y = group(graph, 2, y, wide);
    y = group(graph, 3, y, wide);
    if (graph->status)
        return;
    y = us_graph_pool(graph, US_POOL_MAX, y, graph->values[y].h, 1, 0);
    us_graph_linear_scaled(graph, "fc", y, spec->classes, 1.0f / 9.0f);
}

void us_build_fastnet(struct us_graph *graph, const struct us_model_spec *spec)
{
    build(graph, spec, 4);
}

void us_build_fastnet_small(struct us_graph *graph, const struct us_model_spec *spec)
{
    build(graph, spec, 2);
}
