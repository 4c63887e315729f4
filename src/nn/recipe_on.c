/* Whether a recipe goes together with a dataset. */
#include "config.h"

#include <string.h>

#include "nn/input.h"
#include "nn/models.h"
#include "nn/session.h"

/* Whether parameters are the same ones, by name and shape. */
static bool same_parameters(const struct us_params *a, const struct us_params *b)
{
    bool same = a->n == b->n;
    for (int i = 0; same && i < a->n; i++) {
        const struct us_param *x = &a->item[i], *y = &b->item[i];
        same = strcmp(x->name, y->name) == 0 && x->o == y->o && x->i == y->i && x->h == y->h && x->w == y->w;
    }
    return same;
}

/* Refuse sizes between which parameters of the model cannot pass. */
static enum unseen_status check_same_model(const struct unseen_recipe *recipe,
                                           const struct unseen_dataset *data, const int size[], int n)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_graph first = {0}, other = {0};
    struct us_model_spec spec = us_spec_of(recipe, data, size[0]);
    US_TRY(us_graph_of(&spec, &first));
    for (int i = 1; i < n; i++) {
        us_graph_free(&other);
        spec = us_spec_of(recipe, data, size[i]);
        US_TRY(us_graph_of(&spec, &other));
        if (same_parameters(&first.params, &other.params))
            continue;
        st = us_fail(UNSEEN_USAGE, recipe->test_size ? "--test-size" : "--size",
                     "%s has other parameters for images of %d pixels than for %d", recipe->model, size[i],
                     size[0]);
        us_hint(
            "networks that end with the mean over all pixels take images of several sizes, all of them up to "
            "%d pixels or all above",
            US_SMALL_SIZE);
        goto out;
    }
out:
    us_graph_free(&first);
    us_graph_free(&other);
    return st;
}

enum unseen_status us_recipe_check_on(const struct unseen_recipe *recipe, const struct unseen_dataset *data)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_image_input input;
    int size[US_SIZES_MOST];
    US_TRY(unseen_recipe_check(recipe));
    if (us_recipe_is_auto(recipe)) {
        us_fail(UNSEEN_USAGE, "--recipe", "auto is no recipe until the dataset decides");
        us_hint("it is %s for this one: unseen_recipe_named fills in its settings", unseen_recipe_for(data));
        return UNSEEN_USAGE;
    }
    const int n = us_input_sizes(recipe, data, size);
    for (int i = 0; i < n; i++)
        US_TRY(us_input_of(recipe, data, size[i], &input));
    if (n > 1)
        US_TRY(check_same_model(recipe, data, size, n));
out:
    return st;
}
