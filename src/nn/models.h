/* The models that can be asked for by name. */
#ifndef US_NN_MODELS_H
#define US_NN_MODELS_H

#include "nn/graph.h"
#include "nn/model.h"

/* Adds a model's nodes to a graph that holds the input only; its last node makes [classes] logits. Failures
 * stay in graph->status. */
typedef void us_builder(struct us_graph *graph, const struct us_model_spec *spec);

/* The builder of a registered model. UNSEEN_USAGE, with a hint that lists them, for an unknown name. */
enum unseen_status us_builder_find(const char *name, us_builder **builder);

/* The graph of a model; `graph` is zeroed before, and freed with us_graph_free also after a failure. */
enum unseen_status us_graph_of(const struct us_model_spec *spec, struct us_graph *graph);

#define US_MODEL(name, builder, help) us_builder builder;
#include "nn/models.def"
#undef US_MODEL

#endif
