#include "config.h"

#include "nn/outlook.h"

#include "base/hash.h"
#include "nn/fingerprint.h"
#include "nn/model_parts.h"

enum unseen_status us_model_outlook(struct unseen_device *device, const struct us_model_spec *spec,
                                    struct us_outlook *outlook)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_model *model = NULL;
    us_builder *builder;
    US_TRY(us_model_memory(device, spec, &outlook->bytes));
    US_TRY(us_builder_find(spec->name, &builder));
    US_TRY(us_model_prepare(device, spec, builder, &model));
    outlook->algorithms = us_algorithms_hash(US_HASH_START, model);
out:
    us_model_free(model);
    return st;
}

enum unseen_status us_shape_outlook(const struct us_model_spec *spec, struct us_shape_outlook *outlook)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_graph graph = {0};
    US_TRY(us_graph_of(spec, &graph));
    const int64_t parameters = (int64_t)graph.params.count;
    *outlook = (struct us_shape_outlook){.flops = us_graph_flops(&graph),
                                         .nodes = graph.n_nodes,
                                         .features = us_graph_feature_count(&graph),
                                         .parameters = parameters,
                                         .state = 2 * parameters + (int64_t)graph.stats.count};
out:
    us_graph_free(&graph);
    return st;
}
