#include "config.h"

#include "datasets/synth.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "datasets/cifar.h"
#include "datasets/format.h"
#include "datasets/index/duplicates.h"
#include "datasets/synth_draw.h"

/* Items of the test split follow behind any that a training split can have. */
static const uint64_t TEST_ITEMS = (uint64_t)1 << 40;

/* Shuffles of the stream beside the drawing, whose item numbers they share: their epochs lie far behind. */
enum { SHUFFLE_LABELS = 1 << 30, SHUFFLE_KINDS, DRAW_OTHER, SHUFFLE_TEST_LABELS, SHUFFLE_TEST_KINDS };

/* What is decided about a split before anything is drawn. */
struct plan {
    int64_t n;
    uint8_t *kinds;  /* [n] enum unseen_synth_kind */
    int32_t *drawn;  /* [n] the class that the picture shows */
    int64_t *source; /* [n] the sample whose layout is drawn: i itself, or the original of a near copy */
};

static void free_plan(struct plan *plan)
{
    free(plan->kinds);
    free(plan->drawn);
    free(plan->source);
}

static enum unseen_status shuffled(uint64_t seed, uint32_t epoch, int64_t n, int64_t **order)
{
    *order = us_calloc((size_t)n, sizeof **order);
    if (!*order)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < n; i++)
        (*order)[i] = i;
    return us_shuffle(seed, US_STREAM_SYNTH, epoch, (size_t)n, *order) == 0
               ? UNSEEN_OK
               : us_fail(UNSEEN_FAILED, "synth", "no memory to shuffle %lld samples", (long long)n);
}

/* Of 0..below-1, for sample `item`. */
static uint64_t draw_other(const struct unseen_synth *recipe, int64_t item, uint64_t below)
{
    uint32_t words[4];
    us_philox(recipe->seed, US_STREAM_SYNTH, DRAW_OTHER, (uint64_t)item, words);
    return ((uint64_t)words[0] << 32 | words[1]) % below;
}

/* Near copies get an original: an earlier plain sample of their class. The first sample of a class that would
 * have been plain or a copy stays plain, so there always is one. */
static enum unseen_status choose_originals(const struct unseen_synth *recipe, const int64_t *order,
                                           int64_t copies, struct plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *first = us_calloc((size_t)recipe->classes, sizeof *first);
    int64_t *seen = us_calloc((size_t)recipe->classes, sizeof *seen);
    int64_t *start = us_calloc((size_t)recipe->classes + 1, sizeof *start);
    int64_t *plain = us_calloc((size_t)plan->n, sizeof *plain); /* by class, then ascending */
    US_TRY_ALLOC(first);
    US_TRY_ALLOC(seen);
    US_TRY_ALLOC(start);
    US_TRY_ALLOC(plain);
    for (int64_t i = plan->n - 1; i >= 0; i--) {
        start[plan->drawn[i] + 1]++;
        if (plan->kinds[i] == UNSEEN_PLAIN)
            first[plan->drawn[i]] = i;
    }
    for (int c = 0; c < recipe->classes; c++)
        start[c + 1] += start[c];
    for (int64_t k = 0; k < plan->n && copies > 0; k++) {
        int64_t i = order[k];
        if (plan->kinds[i] == UNSEEN_PLAIN && i != first[plan->drawn[i]]) {
            plan->kinds[i] = UNSEEN_REDUNDANT;
            copies--;
        }
    }
    for (int64_t i = 0; i < plan->n; i++) {
        int32_t c = plan->drawn[i];
        if (plan->kinds[i] == UNSEEN_PLAIN)
            plain[start[c] + seen[c]++] = i;
        else if (plan->kinds[i] == UNSEEN_REDUNDANT)
            plan->source[i] = plain[start[c] + (int64_t)draw_other(recipe, i, (uint64_t)seen[c])];
    }
out:
    free(first);
    free(seen);
    free(start);
    free(plain);
    return st;
}

/* Classes in equal shares and kinds in their shares of n, over the samples in shuffled order. */
static enum unseen_status make_plan(const struct unseen_synth *recipe, enum unseen_split split,
                                    struct plan *plan)
{
    bool train = split == UNSEEN_TRAIN;
    int64_t n = plan->n = train ? recipe->train : recipe->test, *order = NULL;
    int64_t hard = llround((double)recipe->hard * (double)n);
    int64_t wrong = train ? llround((double)recipe->mislabelled * (double)n) : 0;
    int64_t copies = train ? llround((double)recipe->redundant * (double)n) : 0;
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(plan->kinds = us_calloc((size_t)n, 1));
    US_TRY_ALLOC(plan->drawn = us_calloc((size_t)n, sizeof *plan->drawn));
    US_TRY_ALLOC(plan->source = us_calloc((size_t)n, sizeof *plan->source));
    US_TRY(shuffled(recipe->seed, train ? SHUFFLE_LABELS : SHUFFLE_TEST_LABELS, n, &order));
    for (int64_t k = 0; k < n; k++) {
        plan->drawn[order[k]] = (int32_t)(k % recipe->classes);
        plan->source[k] = k;
    }
    free(order);
    order = NULL;
    US_TRY(shuffled(recipe->seed, train ? SHUFFLE_KINDS : SHUFFLE_TEST_KINDS, n, &order));
    for (int64_t k = 0; k < hard + wrong && k < n; k++)
        plan->kinds[order[k]] = k < hard ? UNSEEN_HARD : UNSEEN_MISLABELLED;
    US_TRY(choose_originals(recipe, order, copies, plan));
out:
    free(order);
    return st;
}

static enum unseen_status draw_split(const struct unseen_synth *recipe, enum unseen_split split,
                                     const struct plan *plan, struct unseen_dataset *dataset)
{
    size_t bytes = (size_t)recipe->size * (size_t)recipe->size * 3;
    uint64_t base = split == UNSEEN_TRAIN ? 0 : TEST_ITEMS;
    uint8_t *pixels = NULL;
    int32_t *labels = NULL;
    enum unseen_status st;
    US_TRY(us_images_make(dataset, split, plan->n, bytes, &pixels, &labels));
    for (int64_t i = 0; i < plan->n; i++) {
        struct us_synth_image image = {
            .seed = recipe->seed,
            .item = base + (uint64_t)plan->source[i],
            .noise = base + (uint64_t)i,
            .label = plan->drawn[i],
            .classes = recipe->classes,
            .hard = plan->kinds[i] == UNSEEN_HARD,
        };
        US_TRY(us_dataset_go_on("synth"));
        us_synth_draw_image(&image, recipe->size, pixels + (size_t)i * bytes);
        labels[i] = plan->drawn[i];
        if (plan->kinds[i] == UNSEEN_MISLABELLED) {
            int32_t other = 1 + (int32_t)draw_other(recipe, i, (uint64_t)recipe->classes - 1);
            labels[i] = (plan->drawn[i] + other) % recipe->classes;
        }
    }
out:
    return st;
}

enum unseen_status us_synth_check(const struct unseen_synth *recipe)
{
    if (recipe->classes < 2 || recipe->classes > US_SYNTH_CLASSES)
        return us_fail(UNSEEN_USAGE, "synth", "%d classes are not in 2..%d", recipe->classes,
                       US_SYNTH_CLASSES);
    if (recipe->size < 8 || recipe->size > 256)
        return us_fail(UNSEEN_USAGE, "synth", "image size %d is not in 8..256", recipe->size);
    if (recipe->train < recipe->classes || recipe->train > INT64_C(1) << 32)
        return us_fail(UNSEEN_USAGE, "synth", "%lld training samples are not in %d (one a class)..2^32",
                       (long long)recipe->train, recipe->classes);
    if (recipe->test < 0 || recipe->test > INT64_C(1) << 32)
        return us_fail(UNSEEN_USAGE, "synth", "%lld test samples are not in 0..2^32",
                       (long long)recipe->test);
    /* Written so that NaN fails; the slack is for shares such as 0.7 + 0.2 + 0.1 in float. */
    if (!(recipe->hard + recipe->redundant + recipe->mislabelled <= 1.000001F))
        return us_fail(UNSEEN_USAGE, "synth", "the shares hard %g, redundant %g and mislabelled %g exceed 1",
                       recipe->hard, recipe->redundant, recipe->mislabelled);
    if (recipe->hard < 0 || recipe->redundant < 0 || recipe->mislabelled < 0)
        return us_fail(UNSEEN_USAGE, "synth",
                       "of the shares hard %g, redundant %g and mislabelled %g one is less than 0",
                       recipe->hard, recipe->redundant, recipe->mislabelled);
    return UNSEEN_OK;
}

/* Everything but hash and mean; `train` receives the plan of the training split, freed by the caller also
 * after a failure. */
static enum unseen_status draw_into(const struct unseen_synth *recipe, struct unseen_dataset *dataset,
                                    struct plan *train)
{
    struct plan test = {0};
    enum unseen_status st;
    US_TRY(us_synth_check(recipe));
    dataset->height = dataset->width = recipe->size;
    dataset->channels = 3;
    US_TRY(us_class_names(dataset, NULL, recipe->classes));
    US_TRY(make_plan(recipe, UNSEEN_TRAIN, train));
    US_TRY(make_plan(recipe, UNSEEN_TEST, &test));
    US_TRY(draw_split(recipe, UNSEEN_TRAIN, train, dataset));
    US_TRY(draw_split(recipe, UNSEEN_TEST, &test, dataset));
out:
    free_plan(&test);
    return st;
}

enum unseen_status unseen_synth_draw(const struct unseen_synth *recipe, struct unseen_dataset **dataset,
                                     uint8_t **kinds, int32_t **true_labels)
{
    struct plan train = {0};
    enum unseen_status st = UNSEEN_OK;
    struct unseen_dataset *fresh = us_calloc(1, sizeof *fresh);
    US_TRY_ALLOC(fresh);
    fresh->format = "synth";
    US_TRY_ALLOC(fresh->location = us_format("%lld,%d,%d,%llu", (long long)recipe->train, recipe->classes,
                                             recipe->size, (unsigned long long)recipe->seed));
    US_TRY_ALLOC(fresh->source = us_format("synth:%s", fresh->location));
    US_TRY(draw_into(recipe, fresh, &train));
    US_TRY(us_dataset_hash(fresh));
    US_TRY(us_duplicates_find(fresh));
    us_dataset_measure(fresh);
    *dataset = fresh;
    fresh = NULL;
    if (kinds) {
        *kinds = train.kinds;
        train.kinds = NULL;
    }
    if (true_labels) {
        *true_labels = train.drawn;
        train.drawn = NULL;
    }
out:
    free_plan(&train);
    unseen_dataset_close(fresh);
    return st;
}

/* A whole number at *at with `behind` after it; *at moves past both. */
static bool number(const char **at, char behind, long long most, long long *value)
{
    char *end = NULL;
    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    *value = strtoll(*at, &end, 10);
    if (errno || *value > most || *end != behind)
        return false;
    *at = end + 1;
    return true;
}

static enum unseen_status read_synth(const char *location, struct us_defects *defects,
                                     struct unseen_dataset *dataset)
{
    const char *at = location;
    long long n, classes, size, seed;
    struct plan train = {0};
    if (!number(&at, ',', INT64_MAX, &n) || !number(&at, ',', INT32_MAX, &classes) ||
        !number(&at, ',', INT32_MAX, &size) || !number(&at, '\0', INT64_MAX, &seed)) {
        us_fail(UNSEEN_USAGE, "synth", "'%s' is not N,C,SIZE,SEED", location);
        us_hint("for example synth:5000,10,32,1: 5000 images of 10 classes, 32x32 pixels, seed 1");
        return UNSEEN_USAGE;
    }
    struct unseen_synth recipe = {
        .train = n,
        .test = n / 5 > classes ? n / 5 : classes,
        .classes = (int)classes,
        .size = (int)size,
        .seed = (uint64_t)seed,
        .hard = UNSEEN_SYNTH_HARD,
        .redundant = UNSEEN_SYNTH_REDUNDANT,
        .mislabelled = UNSEEN_SYNTH_MISLABELLED,
    };
    enum unseen_status st = draw_into(&recipe, dataset, &train);
    defects->checked += dataset->split[UNSEEN_TRAIN].n + dataset->split[UNSEEN_TEST].n;
    free_plan(&train);
    return st;
}

static enum unseen_status measure_synth(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                        int64_t *bytes)
{
    return us_cifar_measure(us_cifar_for(dataset->classes), dataset, subset, bytes);
}

static enum unseen_status write_synth(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                      const char *out)
{
    return us_cifar_write(us_cifar_for(dataset->classes), dataset, subset, out);
}

const struct us_dataset_format us_format_synth = {
    .name = "synth",
    .argument = "N,C,SIZE,SEED",
    .drawn = true,
    .read = read_synth,
    .measure = measure_synth,
    .write = write_synth,
};
