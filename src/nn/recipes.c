#include "config.h"

#include <stdio.h>
#include <string.h>

#include "nn/train.h"

static const struct {
    const char *name, *settings, *help;
} recipes[] = {
#define US_RECIPE(name, settings, help) {#name, settings, help},
#include "nn/recipes.def"
#undef US_RECIPE
};

enum { N_RECIPES = sizeof recipes / sizeof recipes[0] };

const char *unseen_recipe_name(int i)
{
    return i >= 0 && i < N_RECIPES ? recipes[i].name : NULL;
}

const char *unseen_recipe_help(int i)
{
    return i >= 0 && i < N_RECIPES ? recipes[i].help : NULL;
}

const char *unseen_recipe_settings(int i)
{
    return i >= 0 && i < N_RECIPES ? recipes[i].settings : NULL;
}

enum unseen_status us_recipe_find(const char *name, const char **settings)
{
    char known[256] = "";
    for (int i = 0; i < N_RECIPES; i++) {
        if (strcmp(recipes[i].name, name) == 0) {
            *settings = recipes[i].settings;
            return UNSEEN_OK;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", recipes[i].name);
    }
    us_fail(UNSEEN_USAGE, "--recipe", "no recipe is called \"%s\"", name);
    us_hint("the recipes are %s", known);
    return UNSEEN_USAGE;
}
