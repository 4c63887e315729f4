#include "config.h"

#include "base/rng.h"

#include <math.h>
#include <string.h>

#include "support/cmocka.h"

/* The known answers published with Random123 (kat_vectors, philox4x32 10). */
static void known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint32_t *c = cases[i].counter, *k = cases[i].key;
        uint32_t out[4];
        us_philox((uint64_t)k[1] << 32 | k[0], c[3], c[2], (uint64_t)c[1] << 32 | c[0], out);
        assert_memory_equal(out, cases[i].answer, sizeof out);
    }
}

static void keys_are_two_words(void **state)
{
    (void)state;
    uint64_t key[5];
    us_philox_keys(3, US_STREAM_SELECT, 7, UINT32_MAX - UINT64_C(2), 5, key);
    for (uint64_t i = 0; i < 5; i++) {
        uint32_t words[4];
        us_philox(3, US_STREAM_SELECT, 7, UINT32_MAX - UINT64_C(2) + i, words);
        assert_true(key[i] == ((uint64_t)words[1] << 32 | words[0]));
    }
}

static void uniform_covers_the_unit_interval(void **state)
{
    (void)state;
    assert_true(us_uniform(0) == 0.0f);
    assert_true(us_uniform(0xff) == 0.0f);
    assert_true(us_uniform(0x80000000u) == 0.5f);
    assert_true(us_uniform(0xffffffffu) == 1.0f - 0x1p-24f);
}

static void normal_has_the_moments(void **state)
{
    (void)state;
    float x[4];
    us_normals((uint32_t[4]){0, 0, 0xffffffffu, 0}, x);
    assert_true(isfinite(x[0]) && x[0] > 6);
    assert_true(x[1] == 0.0f && x[2] == 0.0f && x[3] == 0.0f);
    int n = 20000;
    double sum = 0, squares = 0, fourth = 0;
    for (int i = 0; i < n; i++) {
        uint32_t w[4];
        us_philox(7, US_STREAM_INIT, 0, (uint64_t)i / 4, w);
        us_normals(w, x);
        double square = (double)x[i % 4] * x[i % 4];
        sum += x[i % 4];
        squares += square;
        fourth += square * square;
    }
    /* five standard errors each: 1/sqrt(n), sqrt(2/n), sqrt(96/n) */
    assert_true(fabs(sum / n) < 5 * sqrt(1.0 / n));
    assert_true(fabs(squares / n - 1) < 5 * sqrt(2.0 / n));
    assert_true(fabs(fourth / n - 3) < 5 * sqrt(96.0 / n));
}

enum { ITEMS = 1000 };

static void shuffle_is_a_permutation_that_ignores_the_start(void **state)
{
    (void)state;
    int64_t forward[ITEMS], backward[ITEMS], other[ITEMS], seen[ITEMS] = {0};
    for (int i = 0; i < ITEMS; i++) {
        forward[i] = other[i] = i;
        backward[i] = ITEMS - 1 - i;
    }
    assert_ok(us_shuffle(3, US_STREAM_SHUFFLE, 1, ITEMS, forward));
    assert_ok(us_shuffle(3, US_STREAM_SHUFFLE, 1, ITEMS, backward));
    assert_ok(us_shuffle(3, US_STREAM_SHUFFLE, 2, ITEMS, other));
    assert_memory_equal(forward, backward, sizeof forward);
    assert_memory_not_equal(forward, other, sizeof forward);
    int fixed = 0;
    for (int i = 0; i < ITEMS; i++) {
        assert_in_range(forward[i], 0, ITEMS - 1);
        seen[forward[i]]++;
        fixed += forward[i] == i;
    }
    for (int i = 0; i < ITEMS; i++)
        assert_int_equal(seen[i], 1);
    assert_true(fixed < 10); /* Poisson with mean 1 */
}

/* The order of a subset is the order that its items have in the whole: draws depend on the item alone. */
static void shuffle_of_a_subset_keeps_the_order(void **state)
{
    (void)state;
    int64_t all[ITEMS], even[ITEMS / 2];
    for (int i = 0; i < ITEMS; i++)
        all[i] = i;
    for (int i = 0; i < ITEMS / 2; i++)
        even[i] = 2 * i;
    assert_ok(us_shuffle(3, US_STREAM_FOLD, 0, ITEMS, all));
    assert_ok(us_shuffle(3, US_STREAM_FOLD, 0, ITEMS / 2, even));
    int at = 0;
    for (int i = 0; i < ITEMS; i++) {
        if (all[i] % 2 == 0)
            assert_int_equal(all[i], even[at++]);
    }
    int64_t same[3] = {5, 5, 5};
    assert_ok(us_shuffle(3, US_STREAM_FOLD, 0, 3, same));
    assert_ok(us_shuffle(3, US_STREAM_FOLD, 0, 0, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(keys_are_two_words),
        cmocka_unit_test(uniform_covers_the_unit_interval),
        cmocka_unit_test(normal_has_the_moments),
        cmocka_unit_test(shuffle_is_a_permutation_that_ignores_the_start),
        cmocka_unit_test(shuffle_of_a_subset_keeps_the_order),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
