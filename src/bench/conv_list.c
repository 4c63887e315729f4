#include "config.h"

#include "bench/conv_list.h"

#include <stdlib.h>
#include <string.h>

#include "nn/models.h"
#include "ops/linear.h"

static struct us_conv_use *find(struct us_conv_list *list, const struct us_conv_shape *shape)
{
    for (int i = 0; i < list->n; i++)
        if (memcmp(&list->use[i].shape, shape, sizeof *shape) == 0)
            return &list->use[i];
    return NULL;
}

static enum unseen_status add(struct us_conv_list *list, const struct us_graph *graph,
                              const struct us_node *node, const struct us_model_spec *spec)
{
    const struct us_value x = graph->values[node->x], y = graph->values[node->y];
    const bool linear = node->kind == US_NODE_LINEAR;
    const struct us_conv_shape shape =
        linear ? us_linear_shape(spec->batch, x.h * x.w * x.c, y.c)
               : (struct us_conv_shape){
                     spec->batch, x.h, x.w, x.c, y.c, node->kernel, node->stride, node->pad, spec->precision};
    struct us_conv_use *use = find(list, &shape);
    if (!use) {
        use = us_realloc(list->use, (size_t)list->n + 1, sizeof *list->use);
        if (!use)
            return UNSEEN_FAILED;
        list->use = use;
        use += list->n++;
        memset(use, 0, sizeof *use);
        use->shape = shape;
        const char *name = graph->params.item[node->param].name, *end = strrchr(name, '.');
        memcpy(use->layer, name, end ? (size_t)(end - name) : strlen(name));
    }
    /* A gradient of the images is not wanted, nor are those of frozen weights. */
    use->times[linear ? US_CONV_BWD_DATA : US_CONV_FORWARD]++;
    use->times[linear ? US_CONV_FORWARD : US_CONV_BWD_DATA] += node->x != 0;
    use->times[US_CONV_BWD_WEIGHTS] += !graph->params.item[node->param].frozen;
    return UNSEEN_OK;
}

enum unseen_status us_conv_list_add(struct us_conv_list *list, const struct us_model_spec *spec)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_graph graph = {0};
    US_TRY(us_graph_of(spec, &graph));
    for (int i = 0; i < graph.n_nodes; i++)
        if (graph.nodes[i].kind == US_NODE_CONV || graph.nodes[i].kind == US_NODE_LINEAR)
            US_TRY(add(list, &graph, &graph.nodes[i], spec));
out:
    us_graph_free(&graph);
    return st;
}

struct unseen_conv us_conv_about(const struct us_conv_shape *s, enum us_conv_direction direction)
{
    return (struct unseen_conv){.batch = s->n,
                                .height = s->h,
                                .width = s->w,
                                .channels_in = s->cin,
                                .channels_out = s->cout,
                                .kernel = s->kernel,
                                .stride = s->stride,
                                .pad = s->pad,
                                .direction = us_conv_direction_name(direction),
                                .flops = us_conv_flops(s, s->n)};
}
