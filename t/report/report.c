#include "config.h"

#include "unseen/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/atomic.h"
#include "base/fs.h"
#include "base/npy.h"
#include "report/markup.h"
#include "support/cmocka.h"
#include "support/folder.h"

enum { N = 24, EPOCHS = 3, KEPT = 12 };

/* A run of 24 drawn samples in three classes, one of them with a name to stumble over. */
static const char run_json[] =
    "{\"program\": \"unseen\", \"version\": \"0.1.0\","
    " \"command\": \"unseen prune synth:24,3,8,1 --out 'it'\\\\''s <here>'\", \"seed\": 7,"
    " \"device\": {\"name\": \"A & B\", \"platform\": \"P\", \"driver\": \"D\"},"
    " \"data\": {\"name\": \"%s\", \"format\": \"synth\", \"n_train\": 24, \"n_test\": 0, \"classes\": 3,"
    "            \"duplicates\": {\"same_label\": 1, \"other_label\": 1000, \"test\": 0},"
    "            \"class_names\": [\"<b>&\\\"\", \"cat\", \"dog\"]},"
    " \"settings\": {\"steps\": 1, \"model\": \"convnet3\", \"width\": 8, \"epochs\": 3, \"batch\": 16, "
    "\"lr\": 0.1},"
    " \"metric\": \"el2n\", \"protocol\": \"fold\", \"folds\": 4, \"repeats\": 1, \"rule\": \"ccs\","
    " \"keep\": 0.5, \"kept\": 12, \"n\": 24, \"cutoff\": 0.25, \"wrong_share\": 0.2,"
    " \"seconds\": {\"scoring\": 61, \"selection\": 1},"
    " \"models\": [{\"name\": \"fold <1>\", \"epochs\": ["
    "   {\"epoch\": 0, \"train_accuracy\": 0.4, \"heldout_accuracy\": 0.3},"
    "   {\"epoch\": 1, \"train_accuracy\": 0.6, \"heldout_accuracy\": null},"
    "   {\"epoch\": 2, \"train_accuracy\": 0.9, \"heldout_accuracy\": 0.5}]}]}";

static void put(const char *name, const char *text)
{
    assert_ok(us_write_file(test_path(name), text, strlen(text)));
}

static void put_run(const char *dataset)
{
    char text[2048];
    snprintf(text, sizeof text, run_json, dataset);
    put("run.json", text);
}

static void put_scores(void)
{
    const int64_t n = N, kept = KEPT;
    float scores[N], seen[N];
    int64_t keep[KEPT];
    for (int i = 0; i < N; i++) {
        scores[i] = (float)(i * 7 % N) / N;
        seen[i] = i == 0 ? 1 : (float)i / 1000;
    }
    for (int i = 0; i < KEPT; i++)
        keep[i] = 2 * i;
    assert_ok(us_make_folder(test_path("seen")));
    assert_ok(us_npy_write(test_path("scores.npy"), US_F32, 1, &n, scores));
    assert_ok(us_npy_write(test_path("seen/scores.npy"), US_F32, 1, &n, seen));
    assert_ok(us_npy_write(test_path("keep.npy"), US_I64, 1, &kept, keep));
}

static void put_trajectory(void)
{
    const int64_t shape[] = {1, EPOCHS, N}, n = N;
    float p[EPOCHS * N];
    int64_t labels[N];
    for (int i = 0; i < N; i++)
        labels[i] = i % 3;
    for (int i = 0; i < EPOCHS * N; i++)
        p[i] = i == 2 * N + 5 ? 0.001F : 0.5F; /* sample 5 is doubted in the last epoch */
    assert_ok(us_make_folder(test_path("trajectory")));
    assert_ok(us_npy_write(test_path("trajectory/p_true.npy"), US_F32, 3, shape, p));
    uint8_t fold[N];
    for (int i = 0; i < N; i++)
        fold[i] = (uint8_t)(i % 4);
    assert_ok(us_npy_write(test_path("trajectory/labels.npy"), US_I64, 1, &n, labels));
    assert_ok(us_npy_write(test_path("trajectory/fold.npy"), US_U8, 2, (const int64_t[]){1, N}, fold));
}

static void put_all(const char *dataset)
{
    put_run(dataset);
    put_scores();
    put_trajectory();
    put("history.csv",
        "epoch,lr,train_loss,train_accuracy,heldout_loss,heldout_accuracy,test_loss,test_accuracy,"
        "seconds\n0,0.1,2.1,0.3,,,2.2,0.2,1\n1,0.05,1.1,0.6,,,1.4,0.5,1\n");
}

static int empty_folder(void **state)
{
    (void)state;
    return us_remove_folder(test_folder) || us_make_folder(test_folder);
}

/* The report of the test folder, well-formed; freed with free(). */
static char *report(void)
{
    char *text;
    assert_ok(unseen_report(test_folder, NULL, 0));
    assert_ok(us_read_file(test_path("report.html"), &text, NULL));
    const char *problem = markup_problem(text);
    if (problem)
        fail_msg("%s", problem);
    return text;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("the report lacks \"%s\"", part);
}

static void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("the report has \"%s\"", part);
}

/* Each line of a plot is told from the others by its colour and dashes: the styles of a key differ. */
static void assert_keys_differ(const char *text)
{
    while ((text = strstr(text, "<ul class=\"key\">"))) {
        char styles[16][32];
        int n = 0;
        const char *end = strstr(text, "</ul>");
        for (; (text = strstr(text, "<li class=\"")) && text < end; n++) {
            assert_true(n < 16);
            sscanf(text, "<li class=\"%31[^\"]", styles[n]);
            for (int i = 0; i < n; i++)
                assert_string_not_equal(styles[i], styles[n]);
            text++;
        }
        text = end;
    }
}

static void test_whole(void **state)
{
    (void)state;
    put_all("synth:24,3,8,1");
    char *text = report();
    static const char *const ids[] = {"scores",  "spread",     "classes", "training",
                                      "samples", "parameters", "files"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char section[64], link[64];
        snprintf(section, sizeof section, "<section id=\"%s\">", ids[i]);
        snprintf(link, sizeof link, "<a href=\"#%s\">", ids[i]);
        assert_has(text, section);
        assert_has(text, link);
    }
    assert_has(text, "Coreset of synth:24,3,8,1");
    assert_has(text, "cut off the hardest 25.0\xC2\xA0%, and then kept 12 of them (50.0\xC2\xA0%)");
    assert_has(text, "earlier one with the same label, 1,000 of one with another label, and 0 of the test");
    assert_has(text, "about 20.0\xC2\xA0% of the labels are wrong");
    assert_has(text, "1 min 2 s");
    assert_has(text, "A &amp; B");
    assert_has(text, "&#39;it&#39;\\&#39;&#39;s &lt;here&gt;&#39;");
    assert_has(text, "The 24 most suspicious samples");
    assert_has(
        text,
        "<h3>Settings</h3>\n<dl "
        "class=\"params\">\n<div><dt>steps</dt><dd>1</dd></div>\n<div><dt>model</dt><dd>convnet3</dd></div>");
    assert_has(text, "Scoring models on held-out samples");
    assert_has(text, "Accuracy of the trained model");
    assert_has(text, "12 of the samples that were dropped");
    assert_has(text,
               "<pre>unseen compare synth:24,3,8,1 --metrics el2n --protocols fold --rules ccs --keep 0.5 "
               "--out comparison</pre>");
    assert_has(text, "<section id=\"folds\">");
    assert_has(text, "<tr><td>2</td><td>6</td>");
    assert_has(text, "they get 50.0\xC2\xA0% of the held-out samples right");
    assert_has(text, "largest class gets ");
    assert_has(text, "random coreset of this size keeps about 50.0\xC2\xA0% of each");
    assert_keys_differ(text);
    assert_has(text, "<code>5, 0, 1,"); /* the doubted sample comes first */
    assert_has(text, "<a href=\"trajectory/p_true.npy\">");
    assert_lacks(text, "http"); /* nothing is fetched */
    assert_lacks(text, "<script");
    assert_lacks(text, "report.html");
    free(text);
}

static void test_class_names_are_escaped(void **state)
{
    (void)state;
    put_all("imagefolder:/nowhere/at/all");
    char *text = report();
    assert_has(text, "&lt;b&gt;&amp;&quot;");
    assert_has(text, "fold &lt;1&gt;");
    assert_has(text, "The pictures are left out: ");
    assert_has(text, "/nowhere/at/all");
    assert_lacks(text, "data:image/");
    free(text);
}

static void test_changed_dataset_is_not_shown(void **state)
{
    (void)state;
    put_all("synth:25,3,8,1");
    char *text = report();
    assert_has(text, "not the data of this run any more");
    assert_lacks(text, "data:image/");
    free(text);
    assert_fails(UNSEEN_BAD_DATA, "stays as it is", unseen_report(test_folder, NULL, 0));
}

static void test_missing_parts_are_left_out(void **state)
{
    (void)state;
    put("run.json", "{}");
    char *text = report();
    assert_has(text, "<section id=\"files\">");
    assert_lacks(text, "<section id=\"scores\">");
    assert_lacks(text, "<section id=\"parameters\">");
    free(text);

    put("run.json",
        "{\"model\": \"convnet3\", \"epochs\": 2, \"data\": {\"name\": 5}, \"seconds\": \"long\"}");
    put("history.csv", "epoch,test_accuracy\n0,0.5\n1,0.625\n");
    text = report();
    assert_has(text, "gets 62.5\xC2\xA0% of the test samples right");
    assert_has(text, "<section id=\"training\">");
    assert_lacks(text, "<section id=\"samples\">");
    free(text);

    put_scores();
    assert_int_equal(remove(test_path("keep.npy")), 0);
    assert_int_equal(remove(test_path("seen/scores.npy")), 0);
    text = report();
    assert_has(text, "<section id=\"scores\">");
    assert_has(text, "all samples");
    assert_lacks(text, "<section id=\"spread\">");
    assert_lacks(text, "<section id=\"classes\">");
    free(text);
}

/* Those kept most and least are shown, all are in a file that the page carries. */
static void test_many_classes_stay_small(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    const int64_t n = N;
    int64_t labels[N] = {0};
    labels[N - 1] = MANY - 1;
    put_all("imagefolder:/nowhere/at/all");
    assert_ok(us_npy_write(test_path("trajectory/labels.npy"), US_I64, 1, &n, labels));
    char *text = report();
    assert_has(text, "The 50 classes kept most and the 50 kept least.");
    assert_has(text, "<a download=\"classes.csv\" href=\"data:text/csv;charset=utf-8,class%2Cname");
    assert_has(text, "19999%2Cclass%2019999%2C1%2C0%2C0.708333%0A");
    assert_has(text, "<td>\xE2\x80\xA6</td>");
    assert_lacks(text, "nan");
    assert_in_range(strlen(text), 1, 2 << 20);
    free(text);
}

/* A dataset that was exported into the folder, say. */
static void test_many_files_stay_small(void **state)
{
    (void)state;
    enum { MANY = 1100 };
    put("run.json", "{}");
    assert_ok(us_make_folder(test_path("many")));
    for (int i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof name, "many/%04d", i);
        FILE *file = fopen(test_path(name), "w");
        assert_non_null(file);
        fclose(file);
    }
    char *text = report();
    assert_has(text, "<a href=\"run.json\">");
    assert_has(text, "<a href=\"many/0998\">");
    assert_lacks(text, "<a href=\"many/0999\">");
    assert_has(text, "101 more files lie there.");
    free(text);
}

static void test_equal_scores(void **state)
{
    (void)state;
    const int64_t n = N;
    const float scores[N] = {0};
    put_all("imagefolder:/nowhere/at/all");
    assert_ok(us_npy_write(test_path("scores.npy"), US_F32, 1, &n, scores));
    assert_ok(us_npy_write(test_path("seen/scores.npy"), US_F32, 1, &n, scores));
    char *text = report();
    assert_lacks(text, "\"nan");
    assert_lacks(text, ">nan");
    free(text);
}

static void test_bad_run_json(void **state)
{
    (void)state;
    assert_fails(UNSEEN_BAD_DATA, "run.json", unseen_report(test_folder, NULL, 0));
    static const char *const bad[] = {"", "{", "[]", "{\"a\": 1, \"a\": 2}", "{\"a\": \"\xFF\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put("run.json", bad[i]);
        assert_fails(UNSEEN_BAD_DATA, "run.json", unseen_report(test_folder, NULL, 0));
    }
    assert_false(us_exists(test_path("report.html")));
}

static void test_bad_arrays(void **state)
{
    (void)state;
    const int64_t n = N, few = N - 1, two = 2;
    const float scores[N] = {[3] = NAN};
    put_all("imagefolder:/nowhere/at/all");
    assert_ok(us_npy_write(test_path("scores.npy"), US_F32, 1, &n, scores));
    assert_fails(UNSEEN_BAD_DATA, "of sample 3 is not finite", unseen_report(test_folder, NULL, 0));
    put_scores();
    assert_ok(us_npy_write(test_path("keep.npy"), US_I64, 1, &two, (int64_t[]){0, N}));
    assert_fails(UNSEEN_BAD_DATA, "sample 24, is not one of scores.npy", unseen_report(test_folder, NULL, 0));
    assert_ok(us_npy_write(test_path("keep.npy"), US_I64, 1, &two, (int64_t[]){4, 4}));
    assert_fails(UNSEEN_BAD_DATA, "is there twice", unseen_report(test_folder, NULL, 0));
    put_scores();
    assert_ok(us_npy_write(test_path("seen/scores.npy"), US_F32, 1, &few, (float[N]){0}));
    assert_fails(UNSEEN_BAD_DATA, "seen/scores.npy", unseen_report(test_folder, NULL, 0));
}

/* Three steps, the second kept: the third is smaller than none but its judges found it worse. */
static void test_steps(void **state)
{
    (void)state;
    static const char steps[] =
        "{\"data\": {\"classes\": 2, \"class_names\": [\"<cat>\", \"dog\"]}, \"metric\": \"el2n\", \"step\": "
        "2,"
        " \"hold_out\": 0.1, \"steps\": ["
        " {\"step\": 1, \"size\": 5, \"stayed\": 0, \"evicted\": 0, \"refilled\": 5,"
        "  \"heldout_accuracy\": 0.25, \"class_counts\": [2, 3], \"class_accuracy\": [0.5, null]},"
        " {\"step\": 2, \"size\": 10, \"stayed\": 4, \"evicted\": 1, \"refilled\": 6,"
        "  \"heldout_accuracy\": 0.5, \"class_counts\": [4, 6], \"class_accuracy\": [0.375, 0.625]},"
        " {\"step\": 3, \"size\": 10}]}";
    put("run.json", steps);
    char *text = report();
    assert_has(text, "Judges on the part held out");
    assert_has(text, "<td>2, kept</td><td>10</td><td>4</td><td>1</td><td>6</td><td>50.00 %</td>");
    assert_has(text, "4 .. 6");
    assert_has(text, "<div class=\"card whole\"><h3>Coresets</h3>");
    assert_has(text, "<td>3</td><td>10</td><td>-</td>");
    free(text);
}

/* Ten curves beside full data and random subsets: two plots. */
static void test_comparison(void **state)
{
    (void)state;
    char json[8192];
    int at = snprintf(
        json, sizeof json,
        "{\"budget\": \"epochs\", \"scoring\": {\"folds\": 5, \"mean\": [0.5, 0.25]}, \"comparison\": ["
        "{\"metric\": \"\", \"protocol\": \"\", \"rule\": \"full\", \"keep\": 1, \"kept\": 400,"
        " \"seeds\": 2, \"steps\": 12, \"test_accuracy\": 0.5, \"deviation\": 0.05}");
    for (int c = 0; c < 11; c++)
        for (int k = 1; k <= 2; k++)
            at +=
                snprintf(json + at, sizeof json - (size_t)at,
                         ", {\"metric\": \"%s%.0d\", \"protocol\": \"%s\", \"rule\": \"%s\", \"keep\": %g,"
                         " \"kept\": %d, \"seeds\": 2, \"steps\": 6, \"test_accuracy\": 0.%d}",
                         c ? "m" : "", c, c ? "fold" : "", c ? "ccs" : "random", 0.004 / k, 200 / k, 25 + c);
    snprintf(json + at, sizeof json - (size_t)at, "]}");
    put("run.json", json);
    char *text = report();
    assert_keys_differ(text);
    assert_has(text, "<li class=\"random\"><i></i>random</li>");
    assert_has(text, "<div class=\"card whole\"><h3>Table</h3>");
    assert_has(text, "<th>coreset</th><th>keep</th><th>samples</th><th>seeds</th><th>steps</th>"
                     "<th>test accuracy (%)</th></tr>");
    assert_has(text, "<h3>Accuracy against share kept, part</h3>");
    assert_lacks(text, "<h3>Accuracy against images"); /* an earlier version did not count them */
    assert_has(text, "m10, fold, ccs");
    assert_has(text, ">0.20</text>"); /* shares under a per cent have ticks of their own */
    assert_has(text, "<h3>Scoring</h3>\n<dl class=\"params\">\n<div><dt>folds</dt><dd>5</dd>");
    assert_has(text, "<dt>mean</dt><dd>0.5, 0.25</dd>");
    free(text);
}

/* The trajectory tells what the models prefer: it stands beside the label, and how many labels seem wrong. */
static void test_suspects_have_a_suggestion(void **state)
{
    (void)state;
    const int64_t shape[] = {1, EPOCHS, N};
    float loss[EPOCHS * N], margin[EPOCHS * N], predicted[EPOCHS * N];
    put_all("synth:24,3,8,1");
    for (int i = 0; i < EPOCHS * N; i++) {
        loss[i] = 0.69F;
        margin[i] = 0.5F;
        predicted[i] = (float)(i % N % 3);
    }
    for (int e = 0; e < EPOCHS; e++) {
        loss[e * N + 5] = 6.9F;
        margin[e * N + 5] = -4;
        predicted[e * N + 5] = 1;
    }
    assert_ok(us_npy_write(test_path("trajectory/loss.npy"), US_F32, 3, shape, loss));
    assert_ok(us_npy_write(test_path("trajectory/margin.npy"), US_F32, 3, shape, margin));
    assert_ok(us_npy_write(test_path("trajectory/predicted.npy"), US_F32, 3, shape, predicted));
    char *text = report();
    assert_has(text, "Behind the arrow stands the class that the models prefer");
    assert_has(text, "About 5 of all labels (20.0\xC2\xA0%) are estimated to be wrong");
    assert_has(text, "</b><span>\xE2\x86\x92 ");
    free(text);
}

/* The same folder gives the same bytes. */
static void test_same_bytes(void **state)
{
    (void)state;
    put_all("synth:24,3,8,1");
    char *first = report(), *again = report();
    assert_string_equal(first, again);
    free(again);
    free(first);
}

int main(void)
{
    unseen_log_level_set(UNSEEN_LOG_ERROR); /* some runs have no pictures, which is said */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_whole, empty_folder),
        cmocka_unit_test_setup(test_class_names_are_escaped, empty_folder),
        cmocka_unit_test_setup(test_changed_dataset_is_not_shown, empty_folder),
        cmocka_unit_test_setup(test_missing_parts_are_left_out, empty_folder),
        cmocka_unit_test_setup(test_many_classes_stay_small, empty_folder),
        cmocka_unit_test_setup(test_many_files_stay_small, empty_folder),
        cmocka_unit_test_setup(test_equal_scores, empty_folder),
        cmocka_unit_test_setup(test_bad_run_json, empty_folder),
        cmocka_unit_test_setup(test_bad_arrays, empty_folder),
        cmocka_unit_test_setup(test_steps, empty_folder),
        cmocka_unit_test_setup(test_comparison, empty_folder),
        cmocka_unit_test_setup(test_suspects_have_a_suggestion, empty_folder),
        cmocka_unit_test_setup(test_same_bytes, empty_folder),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
