/* The recipe that a dataset asks for. */
#include "config.h"

#include <string.h>

#include "nn/input.h"
#include "nn/train.h"

const char *us_recipe_auto(const void *base, const struct unseen_dataset *data)
{
    struct unseen_recipe recipe = *(const struct unseen_recipe *)base;
    recipe.test_size = 0;
    return us_input_size(&recipe, data, US_EVALUATION) > US_SMALL_SIZE ? "imagenet" : "fast";
}

const char *unseen_recipe_for(const struct unseen_dataset *data)
{
    const struct unseen_recipe any = {.size = {0, 0}};
    return us_recipe_auto(&any, data);
}

bool us_recipe_is_auto(const struct unseen_recipe *recipe)
{
    return strcmp(recipe->name, "auto") == 0;
}
