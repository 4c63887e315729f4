#include "config.h"

#include "score/formula.h"

#include "support/score.h"

/* "weight*name weight*name ..." of a formula, to compare. */
static const char *parsed(const char *text)
{
    static char out[256];
    struct us_formula f;
    assert_ok(us_formula_parse(text, &f));
    int at = f.plain ? sprintf(out, "plain ") : 0;
    for (int i = 0; i < f.n; i++)
        at +=
            sprintf(out + at, "%s%g*%s", i ? " " : "", f.term[i].weight, unseen_score_name(f.term[i].score));
    return out;
}

static void formulas_are_sums(void **state)
{
    (void)state;
    assert_string_equal(parsed("el2n"), "plain 1*el2n");
    assert_string_equal(parsed(" aum-ccs "), "plain 1*aum-ccs");
    assert_string_equal(parsed("0.5*el2n+0.5*dual"), "0.5*el2n 0.5*dual");
    assert_string_equal(parsed("-el2n"), "-1*el2n");
    assert_string_equal(parsed("+el2n"), "1*el2n");
    assert_string_equal(parsed("1*el2n"), "1*el2n");
    assert_string_equal(parsed(" 1e-1 * el2n - 2 * dual + .25*aum"), "0.1*el2n -2*dual 0.25*aum");
    assert_string_equal(parsed("el2n-dual"), "1*el2n -1*dual");
    assert_string_equal(parsed("aum-ccs-aum-2*el2n"), "1*aum-ccs -1*aum -2*el2n");
    assert_string_equal(parsed("el2n-0.5*first-learnt"), "1*el2n -0.5*first-learnt");
    assert_string_equal(parsed("el2n-2*el2n"), "1*el2n -2*el2n");
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "--metric: names no score"},
        {"  ", "--metric: names no score"},
        {"el3n", "there is no score 'el3n'"},
        {"el2nx", "there is no score 'el2nx'"},
        {"aum-cc", "there is no score 'cc'"},
        {"herding", "there is no score 'herding'"},
        {"el2n+k-center", "there is no score 'k-center'"},
        {"el2n+", "'el2n+': a score is missing at the end"},
        {"0.5*", "'0.5*': a score is missing at the end"},
        {"0.5", "'0.5': '0.5' is no weight of a score"},
        {"0.5el2n", "'0.5el2n' is no weight"},
        {"el2n dual", "+ or - is missing before 'dual'"},
        {"el2n*2", "+ or - is missing before '*'"},
        {"el2n++dual", "a score should stand before '+dual'"},
        {"*el2n", "a score should stand before '*el2n'"},
        {"2*3*el2n", "there is no score '3'"},
        {"1e999*el2n", "a weight is out of range"},
        {"1e31*el2n", "a weight is out of range"},
        {"1e308*el2n+1e308*aum", "a weight is out of range"},
        {"0*el2n", "'0*el2n': no score is left, all weights are 0"},
        {"0*el2n-0*aum", "no score is left"},
        {"el2n-el2n", "no score is left"},
        {"0.5*el2n+aum-0.5*el2n-aum", "no score is left"},
        {"1e-400*el2n", "no score is left"},
        {"1e-31*el2n", "no score is left"},
        {"0x10*el2n", "'0x10*el2n': '0x10' is no weight"},
        {"nan*el2n", "there is no score 'nan'"},
        {"a/b", "there is no score 'a'"},
    };
    struct us_formula f;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (us_formula_parse(cases[i].text, &f) != UNSEEN_USAGE ||
            !strstr(unseen_last_error(), cases[i].says))
            fail_msg("'%s' says \"%s\"", cases[i].text, unseen_last_error());
    }
    char many[256] = "el2n";
    for (int i = 0; i < US_FORMULA_TERMS; i++)
        strcat(many, "+dual");
    assert_fails(UNSEEN_USAGE, "more than 16 scores", us_formula_parse(many, &f));
}

/* Losses 1 3 2 2 have the ranks .125 .875 .5 .5, entropies 5 4 6 9 the ranks .375 .125 .625 .875. */
static void sums_are_of_ranks(void **state)
{
    (void)state;
    static const float loss[] = {1, 3, 2, 2}, entropy[] = {5, 4, 6, 9};
    struct us_trajectory_build *b = seen(4, 1, 1);
    memcpy(b->value[UNSEEN_LOSS], loss, sizeof loss);
    memcpy(b->value[UNSEEN_ENTROPY], entropy, sizeof entropy);
    assert_scores(b, "loss", NULL, (double[]){1, 3, 2, 2});
    assert_scores(b, "1*loss", NULL, (double[]){0.125, 0.875, 0.5, 0.5});
    assert_scores(b, "-loss", NULL, (double[]){-0.125, -0.875, -0.5, -0.5});
    assert_scores(b, "0.5*loss+0.5*entropy", NULL, (double[]){0.25, 0.5, 0.5625, 0.6875});
    assert_scores(b, "2*loss - entropy", NULL, (double[]){-0.125, 1.625, 0.375, 0.125});
    us_trajectory_free(b);
}

/* Folds {0,1,0,1}: losses 1 3 | 10 30 rank .25 .75 in each, so .25 .25 .75 .75 among all where calibrated. */
static void terms_are_calibrated_before(void **state)
{
    (void)state;
    static const float loss[] = {1, 10, 3, 30};
    static const uint8_t fold[] = {0, 1, 0, 1};
    struct us_trajectory_build *b;
    assert_ok(us_trajectory_new(UNSEEN_FOLD, 4, 1, 1, 2, 2, &b));
    memcpy(b->value[UNSEEN_LOSS], loss, sizeof loss);
    memcpy(b->fold, fold, sizeof fold);
    struct unseen_score_options options = defaults;
    assert_scores(b, "1*loss", &options, (double[]){0.125, 0.625, 0.375, 0.875});
    options.calibration = UNSEEN_CALIBRATE_ZSCORE;
    assert_scores(b, "1*loss", &options, (double[]){0.25, 0.25, 0.75, 0.75});
    us_trajectory_free(b);
}

static void a_term_that_cannot_be_had_is_named(void **state)
{
    (void)state;
    struct us_trajectory_build *b = seen(2, 1, 4);
    float scores[2];
    assert_fails(UNSEEN_USAGE, "tdds needs change.npy", unseen_score(&b->view, "loss+tdds", NULL, scores));
    assert_fails(UNSEEN_USAGE, "memorisation compares",
                 unseen_score(&b->view, "loss-memorisation", NULL, scores));
    assert_fails(UNSEEN_USAGE, "memorisation compares", unseen_score_check("loss-memorisation", UNSEEN_SEEN));
    assert_ok(unseen_score_check("loss-memorisation", UNSEEN_FOLD));
    us_trajectory_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_are_sums),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(sums_are_of_ranks),
        cmocka_unit_test(terms_are_calibrated_before),
        cmocka_unit_test(a_term_that_cannot_be_had_is_named),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
