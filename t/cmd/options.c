#include "config.h"

#include "cmd/options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "support/cmocka.h"
#include "support/folder.h"
#include "unseen/dataset.h"

/* A struct with a row for each kind, and one inside another: what is in the table is everywhere. */
struct inner {
    int hours[2];
    int depth;
};

struct sample {
    int flip, count, mode, turn;
    int64_t size;
    uint64_t seed;
    float rate;
    double share;
    const char *file;
    char model[US_NAME_SIZE];
    int days[2];
    struct inner inner, other;
};

static const struct us_option inner_rows[] = {
    {"depth", US_INT, US_AT(struct inner, depth), .standard = "3", .low = 1, .high = 9, .value = "D",
     .help = "how deep"},
    {"hours", US_SPAN, US_AT(struct inner, hours), .standard = "8..17", .low = 0, .high = 24,
     .value = "H[..I]", .help = "when"},
    {0},
};

static const struct us_option rows[] = {
    {"flip", US_BOOL, US_AT(struct sample, flip), .standard = "true", .help = "flips"},
    {"count", US_INT, US_AT(struct sample, count), .standard = "10", .low = 1, .high = 20, .value = "N",
     .help = "how many", .former = "number", .flags = US_ZERO_IS_DEFAULT},
    {"mode", US_CHOICE, US_AT(struct sample, mode), .standard = "fast", .value = "fast|exact",
     .help = "which way"},
    {"turn", US_CHOICE, US_AT(struct sample, turn), .standard = "once", .value = "never|once|twice",
     .help = "how often", .flags = US_WAS_BOOL},
    {"size", US_INT64, US_AT(struct sample, size), .standard = "auto", .low = 0, .high = 1e12,
     .words = "auto", .first_word = -1, .value = "S", .unit = "bytes", .help = "how large"},
    {"seed-of-it", US_UINT64, US_AT(struct sample, seed), .value = "S", .help = "of draws"},
    {"rate", US_FLOAT, US_AT(struct sample, rate), .standard = "0.1", .low = 0, .high = 1, .value = "X",
     .help = "how fast", .flags = US_PROLONGS},
    {"share", US_DOUBLE, US_AT(struct sample, share), .standard = "0.5", .low = 0, .high = 1, .value = "X",
     .help = "how much", .flags = US_ABOVE_LOW},
    {"file", US_STRING, US_AT(struct sample, file), .value = "FILE", .help = "which file", .since = "0.9"},
    {"model", US_NAME, US_AT(struct sample, model), .standard = "resnet18", .value = "NAME",
     .help = "which network"},
    {"days", US_SPAN, US_AT(struct sample, days), .standard = "all", .low = 1, .high = 31, .words = "all",
     .value = "D[..E]", .help = "when"},
    {"inner", US_STRUCT, US_AT(struct sample, inner), .table = inner_rows, .help = "Inside"},
    {"other", US_STRUCT, US_AT(struct sample, other), .table = inner_rows, .prefix = "other-",
     .follows = 1 + offsetof(struct sample, inner), .help = "The other"},
    {0},
};

static enum unseen_status sizes(const char *value, const char **settings)
{
    *settings = strcmp(value, "large") == 0 ? "depth=8 count=20 no-such=1" : "depth=1";
    return strcmp(value, "none") == 0 ? us_fail(UNSEEN_USAGE, "--fit", "unknown") : UNSEEN_OK;
}

struct filled {
    char fit[US_NAME_SIZE];
    struct sample sample;
};

static const struct us_option filled_rows[] = {
    {"fit", US_NAME, US_AT(struct filled, fit), .standard = "small", .value = "NAME", .help = "which",
     .fills = sizes},
    {"sample", US_STRUCT, US_AT(struct filled, sample), .table = rows, .help = "Filled"},
    {0},
};

/* One option that stands for others: what is given counts, wherever it stands. */
static void test_filled(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[5];
        int depth, other, count;
    } cases[] = {
        {{"filled"}, 3, 3, 10}, /* nothing stands for anything that is not given */
        {{"filled", "--fit", "small"}, 1, 1, 10},
        {{"filled", "--fit", "large"}, 8, 8, 20},
        {{"filled", "--depth=2", "--fit=large", "--count=10"}, 2, 2, 10},
        {{"filled", "--fit=large", "--other-depth=4"}, 8, 4, 20},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct filled f = {0};
        struct us_common common;
        const struct us_usage usage = {
            .synopsis = "unseen filled", .about = "Filled.", .groups = {{filled_rows, &f, NULL}}};
        bool help;
        int n = 0;
        while (n < 5 && cases[k].arguments[n])
            n++;
        us_options_defaults(filled_rows, &f);
        assert_ok(us_options_parse(&usage, n, (char **)cases[k].arguments, &common, NULL, &help));
        assert_int_equal(f.sample.inner.depth, cases[k].depth);
        assert_int_equal(f.sample.other.depth, cases[k].other);
        assert_int_equal(f.sample.count, cases[k].count);
        us_common_end(&common);
    }
}

static const char *fit_name(int i)
{
    return i == 0 ? "small" : NULL;
}

/* The dataset decides, and what was given before. */
static const char *decide(const void *base, const struct unseen_dataset *data)
{
    const struct filled *f = base;
    return data->height > 64 || f->sample.count == 19 ? "large" : "small";
}

static const struct us_option settled_rows[] = {
    {"fit", US_NAME, US_AT(struct filled, fit), .standard = "large", .value = "NAME", .help = "which",
     .known = fit_name, .fills = sizes, .settles = decide},
    {"sample", US_STRUCT, US_AT(struct filled, sample), .table = rows, .help = "Filled"},
    {0},
};

/* What is not given waits for the dataset. */
static void test_settled(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[4];
        int height;
        const char *fit;
        int depth, other, count;
    } cases[] = {
        {{"settled"}, 64, "small", 1, 1, 10},
        {{"settled"}, 65, "large", 8, 8, 20},
        {{"settled", "--fit", "auto"}, 65, "large", 8, 8, 20},
        {{"settled", "--fit", "small"}, 65, "small", 1, 1, 10},
        {{"settled", "--depth=3", "--count=10"}, 65, "large", 3, 3, 10},
        {{"settled", "--count=19"}, 32, "large", 8, 8, 19},
        {{"settled", "--other-depth=4"}, 65, "large", 8, 4, 20},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct filled f = {0};
        struct us_common common;
        const struct us_usage usage = {
            .synopsis = "unseen settled", .about = "Settled.", .groups = {{settled_rows, &f, NULL}}};
        const struct unseen_dataset data = {.height = cases[k].height};
        bool help;
        int n = 0;
        while (n < 4 && cases[k].arguments[n])
            n++;
        us_options_defaults(settled_rows, &f);
        assert_ok(us_options_parse(&usage, n, (char **)cases[k].arguments, &common, NULL, &help));
        assert_ok(us_options_settle(&common, &data));
        assert_string_equal(f.fit, cases[k].fit);
        assert_int_equal(f.sample.inner.depth, cases[k].depth);
        assert_int_equal(f.sample.other.depth, cases[k].other);
        assert_int_equal(f.sample.count, cases[k].count);
        us_common_end(&common);
    }
}

static enum unseen_status parse(struct sample *s, int argc, const char **argv, struct us_common *common)
{
    const struct us_usage usage = {
        .synopsis = "unseen sample", .about = "A sample.", .groups = {{rows, s, NULL}}, .common = "seed"};
    bool help;
    *s = (struct sample){0};
    us_options_defaults(rows, s);
    return us_options_parse(&usage, argc, (char **)argv, common, NULL, &help);
}

#define PARSE(s, common, ...)                                                                                \
    parse(s, (int)(sizeof((const char *[]){"sample", __VA_ARGS__}) / sizeof(char *)),                        \
          (const char *[]){"sample", __VA_ARGS__, NULL}, common)

static void test_command_line(void **state)
{
    (void)state;
    struct sample s;
    struct us_common common;
    assert_ok(PARSE(&s, &common, "--count", "7", "--no-flip", "--mode=exact", "--other-depth", "5",
                    "--seed-of-it", "18446744073709551615"));
    assert_int_equal(s.count, 7);
    assert_int_equal(s.flip, 0);
    assert_int_equal(s.mode, 1);
    assert_true(s.seed == UINT64_MAX && s.size == -1);
    assert_int_equal(s.inner.depth, 3);
    assert_int_equal(s.other.depth, 5);
    assert_string_equal(s.model, "resnet18");
    assert_true(s.days[0] == 0 && s.days[1] == 0);
    assert_ok(PARSE(&s, &common, "--depth", "8", "--number", "4", "--flip=false", "--days", "3..17",
                    "--hours", "9..12"));
    assert_true(s.other.hours[0] == 9 && s.other.hours[1] == 12);
    assert_true(s.days[0] == 3 && s.days[1] == 17);
    assert_int_equal(s.other.depth, 8); /* follows what is given of the first */
    assert_int_equal(s.count, 4);
    assert_int_equal(s.flip, 0);
}

static void test_ranges(void **state)
{
    (void)state;
    struct sample s;
    struct us_common common;
    static const char *const bad[][3] = {
        {"--count", "0", "not in 1..20"},
        {"--count", "21", "not in 1..20"},
        {"--count", "4294967297", "1..20"},
        {"--count", "", "a whole number"},
        {"--count", " 3", "a whole number"},
        {"--count", "3x", "a whole number"},
        {"--count", "0x3", "a whole number"},
        {"--rate", "nan", "a number"},
        {"--rate", "inf", "a number"},
        {"--rate", "0x1p-1", "a number"},
        {"--rate", "1e-400x", "a number"},
        {"--rate", "1e400", "[0,1]"},
        {"--share", "0", "(0,1]"},
        {"--share", "-0", "(0,1]"},
        {"--size", "-1", "auto or in"},
        {"--seed-of-it", "-1", "18446744073709551615"},
        {"--mode", "slow", "one of fast|exact"},
        {"--days", "some", "a whole number, nor two"},
        {"--days", "-1", "a whole number, nor two"},
        {"--days", "0", "all or in 1..31"},
        {"--days", "3..", "two whole numbers"},
        {"--days", "3..x", "two whole numbers"},
        {"--days", "3..32", "all or in 1..31"},
        {"--days", "3..4294967297", "all or in 1..31"},
        {"--days", "3..99999999999999999999", "two whole numbers"},
        {"--days", "3...4", "two whole numbers"},
        {"--days", "3..4..5", "all or in 1..31"},
        {"--days", "3-4", "all or in 1..31"},
        {"--days", "4..3", "from the smaller number to the larger"},
        {"--flip=2", "", "true or false"},
        {"--turn=thrice", "", "'thrice' is not one of never|once|twice"},
        {"--no-turn=twice", "", "'twice' is not true or false"},
        {"--turn", "thrice", "too many arguments"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(UNSEEN_USAGE, strchr(bad[i][0], '=') ? PARSE(&s, &common, bad[i][0])
                                                              : PARSE(&s, &common, bad[i][0], bad[i][1]));
        assert_non_null(strstr(unseen_last_error(), bad[i][2]));
    }
    assert_ok(PARSE(&s, &common, "--rate", "-0"));
    assert_false(signbit(s.rate));
    us_options_defaults(rows, &s);
    assert_ok(us_options_check(rows, &s));
    s.count = 0; /* stands for the default */
    assert_ok(us_options_check(rows, &s));
    s.other.depth = 10;
    assert_fails(UNSEEN_USAGE, "--other-depth: 10 is not in 1..9", us_options_check(rows, &s));
    s.other.depth = 9;
    s.share = NAN;
    assert_fails(UNSEEN_USAGE, "--share", us_options_check(rows, &s));
    s.share = 0.5;
    s.days[1] = 3;
    assert_fails(UNSEEN_USAGE, "--days: 0..3 does not ascend in 1..31", us_options_check(rows, &s));
    s.days[0] = 3;
    assert_ok(us_options_check(rows, &s));
}

/* A choice that was a flag takes what a flag takes. */
static void test_former_flag(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[3];
        int turn, count;
    } cases[] = {
        {{"--count", "4"}, 1, 4},
        {{"--no-turn", "--count=4"}, 0, 4},
        {{"--turn=false", "--count=4"}, 0, 4},
        {{"--no-turn", "--turn", "--count=4"}, 1, 4},
        {{"--turn", "twice", "--count=4"}, 2, 4},
        {{"--turn=twice", "--no-turn=false", "--count=4"}, 1, 4},
        {{"--turn", "never", "--count=4"}, 0, 4},
        {{"--count=4", "--turn", "twice"}, 2, 4},
        {{"--count=4", "--turn"}, 1, 4},
    };
    struct sample s;
    struct us_common common;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const char *const *a = cases[k].arguments;
        assert_ok(a[2] ? PARSE(&s, &common, a[0], a[1], a[2]) : PARSE(&s, &common, a[0], a[1]));
        assert_int_equal(s.turn, cases[k].turn);
        assert_int_equal(s.count, cases[k].count);
    }
    for (int on = 0; on < 2; on++) {
        json_t *object = json_pack("{s:b}", "turn", on);
        assert_ok(us_options_get(object, "run.json", rows, &s));
        assert_int_equal(s.turn, on);
        json_decref(object);
    }
}

static void test_json(void **state)
{
    (void)state;
    struct sample s, again = {0};
    struct us_common common;
    assert_ok(PARSE(&s, &common, "--count", "7", "--no-flip", "--share", "0.3333333333333333", "--file",
                    "a b", "--seed-of-it", "18446744073709551615", "--other-depth", "5", "--rate", "0.3",
                    "--days", "2..4"));
    json_t *object = json_object();
    assert_ok(us_options_put(object, rows, &s, 0));
    assert_ok(us_json_save(test_path("run.json"), object));
    json_decref(object);
    assert_ok(us_json_load(test_path("run.json"), &object));
    assert_int_equal(json_object_size(object), 15);
    assert_string_equal(json_string_value(json_object_get(object, "days")), "2..4");
    assert_non_null(json_object_get(object, "other_depth"));
    assert_ok(us_options_get(object, "run.json", rows, &again));
    assert_true(again.share == s.share && again.rate == s.rate && again.seed == s.seed && again.size == -1);
    assert_string_equal(again.file, "a b");
    assert_int_equal(again.other.depth, 5);
    assert_int_equal(again.flip, 0);
    assert_true(again.days[0] == 2 && again.days[1] == 4);
    json_decref(object);
    s.days[0] = 4;
    object = json_object();
    assert_ok(us_options_put(object, rows, &s, 0));
    assert_int_equal(json_integer_value(json_object_get(object, "days")), 4);
    assert_ok(us_options_get(object, "run.json", rows, &again));
    assert_true(again.days[0] == 4 && again.days[1] == 4);
    json_decref(object);

    char *lines = us_options_lines(rows, &s, US_PROLONGS);
    assert_non_null(strstr(lines, "other-depth 5\n"));
    assert_null(strstr(lines, "rate "));
    free(lines);
}

/* What a call prints on stdout. */
static char *printed(const char *option)
{
    char *text;
    struct sample s;
    struct us_common common;
    fflush(stdout);
    const int kept = dup(STDOUT_FILENO);
    assert_non_null(freopen(test_path("printed"), "w", stdout));
    const enum unseen_status st = PARSE(&s, &common, option);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    assert_ok(st);
    assert_ok(us_read_file(test_path("printed"), &text, NULL));
    return text;
}

static void test_texts(void **state)
{
    (void)state;
    static const char *const names[] = {"flip",  "count", "mode",  "turn", "size",  "seed-of-it",  "rate",
                                        "share", "file",  "model", "days", "depth", "other-depth", "hours"};
    char *help = printed("--help"), *man = printed("--man"), *list = printed("--rows");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *in_man = us_format("%s", "");
        for (const char *p = names[i]; *p; p++) {
            char *longer = us_format("%s%s%c", in_man, *p == '-' ? "\\" : "", *p);
            free(in_man);
            in_man = longer;
        }
        assert_non_null(strstr(help, names[i]));
        assert_non_null(strstr(man, in_man));
        assert_non_null(strstr(list, names[i]));
        free(in_man);
    }
    assert_non_null(strstr(help, "how large; 0..1000000000000 bytes, default auto"));
    assert_non_null(strstr(help, "which file; since 0.9"));
    assert_non_null(strstr(help, "--days all|D[..E]"));
    assert_non_null(strstr(help, "when; 1..31, default all"));
    free(help);
    free(man);
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filled),       cmocka_unit_test(test_settled),
        cmocka_unit_test(test_command_line), cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_former_flag),  cmocka_unit_test(test_json),
        cmocka_unit_test(test_texts),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
