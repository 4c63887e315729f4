#include "config.h"

#include "scoring/scoring_cost.h"

#include <math.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/json.h"

void us_scoring_cost_add(struct us_scoring_cost *sum, const struct us_scoring_cost *more)
{
    sum->trained += more->trained;
    sum->evaluated += more->evaluated;
    sum->seconds += more->seconds;
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Every epoch takes all of a scoring model's samples. */
static void add_model(const json_t *model, struct us_scoring_cost *sum)
{
    const json_t *epochs = json_object_get(model, "epochs"), *gradients = json_object_get(model, "gradients");
    const double n_train = number(model, "n_train");
    size_t e;
    json_t *epoch;
    json_array_foreach(epochs, e, epoch)
    {
        const struct us_scoring_cost cost = {n_train, number(epoch, "evaluated"), number(epoch, "seconds")};
        us_scoring_cost_add(sum, &cost);
    }
    if (json_is_number(gradients)) /* they take a pass forward and back */
        sum->trained += json_number_value(gradients);
}

enum unseen_status us_scoring_cost(const char *folder, struct us_scoring_cost *cost)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *root = NULL, *model;
    size_t m;
    char *path = us_format("%s/scoring.json", folder);
    *cost = (struct us_scoring_cost){NAN, NAN, NAN};
    US_TRY_ALLOC(path);
    if (!us_exists(path))
        goto out;
    *cost = (struct us_scoring_cost){0};
    US_TRY(us_json_load(path, &root));
    json_array_foreach(json_object_get(root, "models"), m, model) add_model(model, cost);
out:
    json_decref(root);
    free(path);
    return st;
}
