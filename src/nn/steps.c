#include "config.h"

#include "nn/steps.h"

#include "base/rng.h"

static int64_t divide_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static bool spreads(const struct unseen_recipe *recipe)
{
    return recipe->last_batch == UNSEEN_BATCH_SPREAD;
}

struct us_steps us_steps_of(const struct unseen_recipe *recipe, int64_t n, uint64_t seed)
{
    const int64_t epochs = recipe->epochs, batch = recipe->batch;
    struct us_steps steps = {.all = epochs * divide_up(n, batch), .epochs = recipe->epochs};
    uint32_t word[4];
    if (!spreads(recipe))
        return steps;
    us_philox(seed, US_STREAM_STEPS, 0, 0, word);
    const uint64_t rest = (uint64_t)(epochs * n % batch);
    steps.all = epochs * n / batch + ((uint64_t)word[0] * (uint64_t)batch < rest << 32);
    steps.all = steps.all < epochs ? epochs : steps.all;
    return steps;
}

int64_t us_steps_before(const struct us_steps *steps, int64_t epoch)
{
    return (2 * epoch * steps->all + steps->epochs) / (2 * (int64_t)steps->epochs);
}

int64_t us_steps_own(const struct unseen_recipe *recipe, int64_t planned, int64_t n, int64_t most)
{
    return spreads(recipe) ? divide_up(planned * n, most) : divide_up(n, recipe->batch);
}

/* As large as the part that us_pass_cut makes of a step of so many samples, and those of evaluation. */
static int room(const struct unseen_recipe *recipe, int64_t samples)
{
    return (int)divide_up(samples > recipe->batch ? samples : recipe->batch, recipe->accumulate);
}

/* No epoch has fewer steps than it has whole batches. */
int us_steps_room(const struct unseen_recipe *recipe, int64_t n)
{
    const int64_t whole = n / recipe->batch;
    return room(recipe, spreads(recipe) ? divide_up(n, whole > 1 ? whole : 1) : 0);
}

/* Of all n with the same number of whole batches the largest takes most, and fewer whole batches take more.
 */
int us_steps_room_most(const struct unseen_recipe *recipe, int64_t least)
{
    const int64_t whole = least / recipe->batch, n = ((whole > 1 ? whole : 1) + 1) * recipe->batch - 1;
    return us_steps_room(recipe, n);
}

/* One of `parts` almost equal parts of 0..n-1: the one that `at` lies in. */
struct part {
    int64_t number, begin, end;
};

static struct part part_at(int64_t n, int64_t parts, int64_t at)
{
    const int64_t number = ((at + 1) * parts - 1) / n;
    return (struct part){number, number * n / parts, (number + 1) * n / parts};
}

/* One of parts of `each`, but for the last. */
static struct part piece_at(int64_t n, int64_t each, int64_t at)
{
    const int64_t number = at / each, begin = number * each;
    return (struct part){number, begin, begin + each < n ? begin + each : n};
}

struct us_cut us_pass_cut(const struct us_pass *pass, int64_t at)
{
    const struct unseen_recipe *recipe = pass->recipe;
    const bool spread = pass->training && spreads(recipe);
    const struct part step =
        spread ? part_at(pass->n, pass->own_steps, at) : piece_at(pass->n, recipe->batch, at);
    const int64_t of = step.end - step.begin, inside = at - step.begin;
    const struct part part = spread ? part_at(of, of < recipe->accumulate ? of : recipe->accumulate, inside)
                                    : piece_at(of, us_recipe_part(recipe), inside);
    return (struct us_cut){.step = step.number,
                           .n = (int)(part.end - inside),
                           .of = (int)of,
                           .first = inside == 0,
                           .last = part.end == of};
}
