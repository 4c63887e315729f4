/* Selection in passes against sorting: every rule that streams, from memory and from files. */
#include "config.h"

#include "select/ranking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "base/rng.h"
#include "select/kept.h"
#include "support/cmocka.h"
#include "support/folder.h"
#include "unseen/dataset.h"

enum { CLASSES = 7, STRATA = 9 };

/* Samples with many equal scores and labels of unequal classes. */
struct drawn {
    int64_t n;
    float *scores, *hardness;
    int32_t *labels;
};

static void draw(int64_t n, struct drawn *d)
{
    *d = (struct drawn){n, calloc((size_t)n, sizeof(float)), calloc((size_t)n, sizeof(float)),
                        calloc((size_t)n, sizeof(int32_t))};
    for (int64_t i = 0; i < n; i++) {
        uint32_t words[4];
        float normal[4];
        us_philox(2, US_STREAM_SYNTH, 0, (uint64_t)i, words);
        us_normals(words, normal);
        d->scores[i] = words[3] % 2 ? normal[0] : (float)(words[0] % 9) - 4;
        d->hardness[i] = (float)(words[2] % 100);
        d->labels[i] = (int32_t)(words[3] % (CLASSES + 5)) % CLASSES;
    }
}

static void release(struct drawn *d)
{
    free(d->scores);
    free(d->hardness);
    free(d->labels);
}

/* ---- the rules by sorting, on one group's samples, the key of each in a list ---- */

static int64_t gather(const struct drawn *d, const float *values, int32_t class, int64_t *items, float *key)
{
    int64_t n = 0;
    for (int64_t i = 0; i < d->n; i++) {
        if (class >= 0 && d->labels[i] != class)
            continue;
        items[n] = i;
        key[n++] = values[i];
    }
    return n;
}

static void first_by(const float *key, int64_t n, bool descending, int64_t from, int64_t to,
                     const int64_t *items, uint8_t *kept)
{
    int64_t *order = calloc((size_t)n, sizeof *order);
    assert_ok(us_order_f32(key, n, descending, order));
    for (int64_t i = from; i < to; i++)
        kept[items[order[i]]] = 1;
    free(order);
}

/* CCS of the paper: the easiest, divided by score, drawn from. */
static void by_strata(const struct drawn *d, const struct unseen_select_options *o, int64_t *items, int64_t n,
                      int64_t m, uint8_t *kept)
{
    int64_t population[STRATA] = {0}, budget[STRATA];
    const int64_t left = us_count_after_cutoff(o, n, m);
    uint8_t *stays = calloc((size_t)d->n, 1);
    float *key = calloc((size_t)n, sizeof *key);
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < n; i++)
        key[i] = o->hardness[items[i]];
    first_by(key, n, false, 0, left, items, stays);
    for (int64_t i = 0; i < n; i++) {
        if (stays[items[i]]) {
            low = fmin(low, d->scores[items[i]]);
            high = fmax(high, d->scores[items[i]]);
        }
    }
    for (int64_t i = 0; i < n; i++)
        population[us_ccs_stratum(d->scores[items[i]], low, high, STRATA)] += stays[items[i]];
    assert_ok(us_ccs_budgets(population, STRATA, m, budget));
    assert_ok(us_shuffle(o->seed, US_STREAM_SELECT, 0, (size_t)n, items));
    for (int64_t i = 0; i < n; i++) {
        if (stays[items[i]] && budget[us_ccs_stratum(d->scores[items[i]], low, high, STRATA)]-- > 0)
            kept[items[i]] = 1;
    }
    free(key);
    free(stays);
}

/* One group's m samples by the rule. */
static void reference(const char *rule, const struct drawn *d, const struct unseen_select_options *o,
                      int32_t class, int64_t m, uint8_t *kept)
{
    int64_t *items = calloc((size_t)d->n, sizeof *items);
    float *key = calloc((size_t)d->n, sizeof *key);
    int64_t n = gather(d, d->scores, class, items, key);
    if (strcmp(rule, "ccs") == 0) {
        by_strata(d, o, items, n, m, kept);
    } else if (strcmp(rule, "random") == 0) {
        assert_ok(us_shuffle(o->seed, US_STREAM_SELECT, 0, (size_t)n, items));
        for (int64_t i = 0; i < m; i++)
            kept[items[i]] = 1;
    } else if (strcmp(rule, "moderate") == 0) {
        first_by(key, n, false, (n - m) / 2, (n - m) / 2 + m, items, kept);
    } else {
        first_by(key, n, strcmp(rule, "bottom") != 0, 0, m, items, kept);
    }
    free(key);
    free(items);
}

/* How many of each class are kept is the rule's business (t/prune/quotas); which ones is looked at here. */
static void assert_like_sorting(const char *rule, const struct drawn *d,
                                const struct unseen_select_options *o, bool by_class)
{
    uint8_t *want = calloc((size_t)d->n, 1);
    int64_t *kept, m, count[CLASSES] = {0};
    assert_ok(unseen_select(rule, d->scores, d->labels, d->n, CLASSES, o, &kept, &m));
    assert_int_equal(m, llround(o->keep * (double)d->n));
    for (int64_t i = 0; i < m; i++)
        count[d->labels[kept[i]]]++;
    for (int32_t c = 0; by_class && c < CLASSES; c++)
        reference(rule, d, o, c, count[c], want);
    if (!by_class)
        reference(rule, d, o, -1, m, want);
    for (int64_t i = 0; i < m; i++) {
        if (!want[kept[i]])
            fail_msg("%s of %d: sample %d", rule, (int)d->n, (int)kept[i]);
    }
    free(kept);
    free(want);
}

static const char *const streaming[] = {"top", "bottom", "moderate", "ccs", "random"};
enum { STREAMING = sizeof streaming / sizeof streaming[0] };

static void rules_are_like_sorting(void **state)
{
    (void)state;
    static const int64_t sizes[] = {10, 64, 1000, US_BLOCK, US_BLOCK + 1, 30000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct drawn d;
        draw(sizes[s], &d);
        for (int i = 0; i < STREAMING; i++) {
            for (int quota = UNSEEN_QUOTA_NONE; quota <= UNSEEN_QUOTA_EQUAL; quota++) {
                struct unseen_select_options options = {.keep = 0.3 + 0.2 * quota,
                                                        .cutoff = 0.1,
                                                        .strata = STRATA,
                                                        .hardness = d.hardness,
                                                        .seed = s,
                                                        .quota = (enum unseen_quota)quota};
                assert_like_sorting(streaming[i], &d, &options, quota != UNSEEN_QUOTA_NONE);
            }
        }
        assert_like_sorting("class-balanced", &d, &(struct unseen_select_options){.keep = 0.4}, true);
        release(&d);
    }
}

/* More samples than one thread goes through alone, where there is more than one processor. */
static void parts_make_no_difference(void **state)
{
    (void)state;
    struct drawn d;
    draw((1 << 20) + 77777, &d);
    for (int i = 0; i < STREAMING; i++) {
        struct unseen_select_options options = {
            .keep = 0.25, .cutoff = 0.1, .strata = STRATA, .hardness = d.hardness, .seed = 4};
        assert_like_sorting(streaming[i], &d, &options, false);
    }
    release(&d);
}

/* So many groups that a digit has a single bit; each keeps its own. */
static void many_groups_have_short_digits(void **state)
{
    (void)state;
    enum { groups = 200000, n = 3 * groups };
    static float scores[n];
    static int32_t labels[n];
    static int64_t quota[groups], population[groups];
    static struct us_limit limit[groups];
    static uint64_t kept[n / 64 + 1];
    for (int i = 0; i < n; i++) {
        labels[i] = (int32_t)((int64_t)i * 7919 % groups);
        scores[i] = (float)(i / groups) * (labels[i] % 2 ? 1.5f : -1.5f);
    }
    for (int g = 0; g < groups; g++)
        quota[g] = g % 4;
    const struct us_npy column = {.dtype = US_I32, .count = n, .data = labels};
    const struct us_rule_input in = {.scores = scores, .labels = &column, .n = n, .groups = groups};
    const struct us_view view = {.in = &in, .key = US_KEY_LOW_SCORE};
    assert_ok(us_count_groups(&view, population));
    assert_ok(us_find_limits(&view, quota, limit));
    assert_ok(us_mark(&view, limit, true, kept));
    for (int i = 0; i < n; i++) {
        int place = labels[i] % 2 ? i / groups : 2 - i / groups;
        assert_int_equal(us_is_kept(kept, i), place < labels[i] % 4);
        assert_int_equal(population[labels[i]], 3);
    }
}

/* ---- files ---- */

static void assert_same_from_files(const char *rule, const struct drawn *d,
                                   const struct unseen_select_files *files,
                                   const struct unseen_select_options *options)
{
    int64_t *kept, *from_file, m, m_file, n;
    struct unseen_select_options in_memory = *options;
    in_memory.hardness = d->hardness;
    assert_ok(unseen_select(rule, d->scores, d->labels, d->n, CLASSES, &in_memory, &kept, &m));
    assert_ok(unseen_select_files(rule, files, options, &n, &m_file));
    assert_int_equal(n, d->n);
    assert_int_equal(m_file, m);
    assert_ok(us_npy_read_i64(files->kept, 1, &m_file, &from_file));
    assert_int_equal(m_file, m);
    assert_memory_equal(from_file, kept, (size_t)m * sizeof *kept);
    free(from_file);
    free(kept);
}

static void files_give_the_same(void **state)
{
    (void)state;
    struct drawn d;
    draw(70001, &d);
    double *wide = calloc((size_t)d.n, sizeof *wide);
    int64_t *labels = calloc((size_t)d.n, sizeof *labels);
    for (int64_t i = 0; i < d.n; i++) {
        wide[i] = d.scores[i];
        labels[i] = d.labels[i];
    }
    const char *scores = test_path("scores.npy");
    const char *hardness = test_path("hardness.npy");
    const char *label_file = test_path("labels.npy");
    const char *kept = test_path("kept.npy");
    const struct unseen_select_files files = {
        .scores = scores, .labels = label_file, .hardness = hardness, .kept = kept};
    assert_ok(us_npy_write(hardness, US_F32, 1, &d.n, d.hardness));
    assert_ok(us_npy_write(label_file, US_I64, 1, &d.n, labels));
    for (int converted = 0; converted < 2; converted++) {
        assert_ok(us_npy_write(scores, converted ? US_F64 : US_F32, 1, &d.n,
                               converted ? (const void *)wide : d.scores));
        for (int i = 0; i < STREAMING; i++)
            assert_same_from_files(
                streaming[i], &d, &files,
                &(struct unseen_select_options){.keep = 0.2, .cutoff = UNSEEN_CUTOFF_TABLE, .seed = 8});
        assert_same_from_files("class-balanced", &d, &files, &(struct unseen_select_options){.keep = 0.2});
    }
    free(labels);
    free(wide);
    release(&d);
}

static void assert_text(const char *path, const char *want)
{
    char *text = NULL;
    assert_ok(us_read_file(path, &text, NULL));
    assert_string_equal(text, want);
    free(text);
}

static void a_text_names_what_is_kept(void **state)
{
    (void)state;
    static const float scores[] = {1, 4, 2, 3};
    static const int32_t labels[4];
    char *paths[] = {"train/a/1.jpg", "train/a/2.jpg", "train/b/1.jpg", "train/b/2.jpg"};
    struct unseen_dataset data = {.split = {{.n = 4, .labels = labels, .paths = paths}}};
    const char *score_file = test_path("four.npy"), *kept = test_path("keep.txt");
    struct unseen_select_files files = {.scores = score_file, .kept = kept};
    const struct unseen_select_options half = {.keep = 0.5};
    int64_t n, m;
    assert_ok(us_npy_write(score_file, US_F32, 1, (int64_t[]){4}, scores));
    assert_ok(unseen_select_files("top", &files, &half, &n, &m));
    assert_text(kept, "1\n3\n");
    files.data = &data;
    assert_ok(unseen_select_files("top", &files, &half, &n, &m));
    assert_text(kept, "train/a/2.jpg\ntrain/b/2.jpg\n");
    paths[1] = "train/a/2\n.jpg";
    assert_fails(UNSEEN_BAD_DATA, "sample 1 has more than one line",
                 unseen_select_files("top", &files, &half, &n, &m));
    assert_text(kept, "train/a/2.jpg\ntrain/b/2.jpg\n");
}

static void files_are_checked(void **state)
{
    (void)state;
    static const float scores[] = {1, 2, INFINITY, NAN};
    static const int32_t labels[] = {0, 1, -1, 2};
    const char *score_file = test_path("few.npy");
    const char *label_file = test_path("few-labels.npy");
    const char *kept = test_path("none.npy");
    struct unseen_select_files files = {.scores = score_file, .labels = label_file, .kept = kept};
    const struct unseen_select_options half = {.keep = 0.5};
    int64_t n = 4, m;
#define TRY(rule) unseen_select_files(rule, &files, &half, &n, &m)
    assert_ok(us_npy_write(score_file, US_F32, 1, (int64_t[]){4}, scores));
    assert_ok(us_npy_write(label_file, US_I32, 1, (int64_t[]){3}, labels));
    assert_fails(UNSEEN_BAD_DATA, "has 3 labels for 4 scores", TRY("top"));
    assert_ok(us_npy_write(label_file, US_I32, 1, (int64_t[]){4}, labels));
    assert_fails(UNSEEN_BAD_DATA, "labels: -1 of sample 2", TRY("top"));
    assert_ok(us_npy_write(label_file, US_F32, 1, (int64_t[]){4}, ((float[]){0, 1, 0.5f, 1})));
    assert_fails(UNSEEN_BAD_DATA, "holds float32 instead of integers", TRY("top"));
    files.labels = NULL;
    assert_fails(UNSEEN_BAD_DATA, "scores: value inf of sample 2", TRY("top"));
    assert_fails(UNSEEN_USAGE, "class-balanced needs labels", TRY("class-balanced"));
    files.hardness = label_file;
    assert_ok(us_npy_write(label_file, US_F32, 1, (int64_t[]){3}, scores));
    assert_fails(UNSEEN_BAD_DATA, "has 3 values for 4 scores", TRY("ccs"));
    files.scores = kept;
    assert_fails(UNSEEN_BAD_DATA, "none.npy", TRY("top"));
    assert_false(us_exists(kept));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_like_sorting),        cmocka_unit_test(parts_make_no_difference),
        cmocka_unit_test(many_groups_have_short_digits), cmocka_unit_test(files_give_the_same),
        cmocka_unit_test(a_text_names_what_is_kept),     cmocka_unit_test(files_are_checked),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
