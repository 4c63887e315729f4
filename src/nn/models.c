#include "config.h"

#include "nn/models.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    us_builder *builder;
    const char *help;
} models[] = {
#define US_MODEL(name, builder, help) {#name, builder, help},
#include "nn/models.def"
#undef US_MODEL
};

enum { N_MODELS = sizeof models / sizeof models[0] };

const char *unseen_model_name(int i)
{
    return i >= 0 && i < N_MODELS ? models[i].name : NULL;
}

const char *unseen_model_help(int i)
{
    return i >= 0 && i < N_MODELS ? models[i].help : NULL;
}

enum unseen_status us_builder_find(const char *name, us_builder **builder)
{
    char known[256] = "";
    for (int i = 0; i < N_MODELS; i++) {
        if (strcmp(models[i].name, name) == 0) {
            *builder = models[i].builder;
            return UNSEEN_OK;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", models[i].name);
    }
    us_fail(UNSEEN_USAGE, "--model", "no model is called \"%s\"", name);
    us_hint("the models are %s", known);
    return UNSEEN_USAGE;
}

enum unseen_status us_graph_of(const struct us_model_spec *spec, struct us_graph *graph)
{
    us_builder *builder;
    enum unseen_status st = us_builder_find(spec->name, &builder);
    if (st)
        return st;
    us_graph_begin(graph, spec->height, spec->height, spec->channels_in);
    if (!graph->status)
        builder(graph, spec);
    return graph->status;
}
