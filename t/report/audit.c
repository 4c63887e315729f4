#include "config.h"

#include "unseen/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/npy.h"
#include "datasets/pixels.h"
#include "report/markup.h"
#include "support/cmocka.h"
#include "support/folder.h"

/* Six drawn pictures in three classes, one of them in a file of an awkward name, and an audit of them that
 * suspects four. */
enum { N = 6, CLASSES = 3 };

static const int64_t labels[N] = {0, 0, 0, 0, 1, 1};
static float p_true[N] = {0.0625F, 0.125F, 0.03125F, 0.25F, 0.9375F, 0.875F};
static float confidence[N] = {0.5F, 0.5F, 0.75F, 0.5F, 0, 0};
static float score[N] = {0.9375F, 0.875F, 0.96875F, 0.75F, 0.0625F, 0.125F};
static int32_t suggested[N] = {1, 2, 1, 2, 1, 1};
static int64_t suspects[N] = {2, 0, 1, 3, 5, 4};

static const struct unseen_audit found = {.protocol = UNSEEN_FOLD,
                                          .n = N,
                                          .classes = CLASSES,
                                          .labels = labels,
                                          .p_true = p_true,
                                          .suggested = suggested,
                                          .confidence = confidence,
                                          .score = score,
                                          .noise_rate = 0.5,
                                          .suspects = suspects,
                                          .ranked = N,
                                          .count = 4};

static int32_t narrow[N];
static uint8_t pixels[N * 8 * 8 * 3];
static struct unseen_reader reader;
static char *names[] = {"cat", "<dog>", "cow"};
static char *paths[] = {"0", "1", "cat/a, b.jpg", "3", "4", "5"};

static struct unseen_dataset drawn(void)
{
    for (int i = 0; i < N; i++)
        narrow[i] = (int32_t)labels[i];
    struct unseen_dataset data = {.format = "imagefolder",
                                  .location = "pets & co",
                                  .source = "imagefolder:/pets & co",
                                  .height = 8,
                                  .width = 8,
                                  .channels = 3,
                                  .classes = CLASSES,
                                  .class_names = names,
                                  .reader = &reader};
    us_pixels_reader(&reader, pixels, NULL);
    data.split[UNSEEN_TRAIN] = (struct unseen_images){.n = N, .labels = narrow, .paths = paths};
    return data;
}

static char *text_of(const char *name)
{
    char *text;
    assert_ok(us_read_file(test_path(name), &text, NULL));
    return text;
}

/* A page of the test folder, well-formed. */
static char *read_page(const char *name)
{
    char *text = text_of(name);
    const char *problem = markup_problem(text);
    if (problem)
        fail_msg("%s", problem);
    return text;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("there is no \"%s\"", part);
}

static void files_hold_the_suspects(void **state)
{
    (void)state;
    struct unseen_dataset data = drawn();
    float *scores;
    int64_t n;
    const char *out = test_path("audit");
    assert_ok(unseen_audit_write(&found, &data, NULL, out));
    char *text = text_of("audit/suspects.csv");
    assert_string_equal(text, "index,label,path,suggested,confidence,score\n"
                              "2,0,\"cat/a, b.jpg\",1,0.75,0.96875\n0,0,0,1,0.5,0.9375\n1,0,1,2,0.5,0.875\n"
                              "3,0,3,2,0.5,0.75\n");
    free(text);
    assert_ok(us_npy_read_f32(test_path("audit/suspicion.npy"), 1, &n, &scores));
    assert_int_equal(n, N);
    assert_memory_equal(scores, score, sizeof score);
    free(scores);
    text = read_page("audit/audit.html");
    assert_has(text, "Labels of pets &amp; co");
    assert_has(text, "Of the 6 training samples 4 (66.7\xC2\xA0%) are named");
    assert_has(text, "about 50.0\xC2\xA0% of all labels are wrong");
    assert_has(text, "\xE2\x86\x92 &lt;dog&gt;");
    assert_has(text, "cat/a, b.jpg");
    /* Two classes are suggested equally often: the lower one is named. */
    assert_has(text,
               "<tr><td>cat</td><td>4</td><td>4</td><td>100\xC2\xA0%</td><td>&lt;dog&gt; (2)</td></tr>");
    free(text);
    narrow[3] = 2;
    assert_fails(UNSEEN_BAD_DATA, "labels sample 3 2; in the trajectory it is 0",
                 unseen_audit_write(&found, &data, NULL, out));
    data.split[UNSEEN_TRAIN].n = 5;
    assert_fails(UNSEEN_BAD_DATA, "has 5 training samples", unseen_audit_write(&found, &data, NULL, out));
}

/* The page tells what made it; so does the file beside it. The second writing finds the first one's files. */
static void the_page_tells_what_made_it(void **state)
{
    (void)state;
    static const char scoring[] = "{\"settings\": {\"seed\": 7, \"model\": \"convnet3\", \"folds\": 5},"
                                  " \"complete\": true, \"models\": [{\"name\": \"fold 1\", \"epochs\": ["
                                  "{\"epoch\": 0, \"heldout_accuracy\": 0.5}]}]}";
    const struct unseen_dataset data = drawn();
    char *trajectory = us_format("%s", test_path("run/seen/trajectory"));
    char *out = us_format("%s", test_path("told"));
    const struct unseen_audit_origin origin = {.trajectory = trajectory,
                                               .command = "unseen audit 'pets & co' --out x"};
    assert_ok(us_make_folder(test_path("run/seen/trajectory")));
    assert_ok(us_write_file(test_path("run/scoring.json"), scoring, strlen(scoring)));
    assert_ok(unseen_audit_write(&found, &data, &origin, out));
    char *text = read_page("told/audit.html");
    static const char *const ids[] = {"suspects", "classes", "training", "parameters", "files"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char section[64], link[64];
        snprintf(section, sizeof section, "<section id=\"%s\">", ids[i]);
        snprintf(link, sizeof link, "<a href=\"#%s\">", ids[i]);
        assert_has(text, section);
        assert_has(text, link);
    }
    assert_has(text, "<pre>unseen audit &#39;pets &amp; co&#39; --out x</pre>");
    assert_has(text, "<dt>seed</dt><dd>7</dd>");
    assert_has(text, "<dt>folds</dt><dd>5</dd>");
    assert_has(text, "<dt>protocol</dt><dd>fold</dd>");
    assert_has(text, "<a href=\"suspects.csv\">");
    char *json = text_of("told/audit.json");
    assert_has(json, "\"model\": \"convnet3\"");
    assert_has(json, "\"suspects\": 4");
    assert_ok(unseen_audit_write(&found, &data, &origin, out));
    char *again = text_of("told/audit.html");
    assert_int_equal(strcmp(text, again), 0);
    free(again);
    free(json);
    free(text);
    free(out);
    free(trajectory);
}

/* Of the four suspects 2 and 3 are wrong, and sample 4, the last of all. */
static void the_truth_is_told_where_it_is_known(void **state)
{
    (void)state;
    static const int32_t right[N] = {0, 0, 1, 1, 2, 1};
    struct unseen_dataset data = drawn();
    data.split[UNSEEN_TRAIN].true_labels = right;
    assert_ok(unseen_audit_write(&found, &data, NULL, test_path("judged")));
    char *text = text_of("judged/suspects.csv");
    assert_has(text, "index,label,path,suggested,confidence,score,true_label\n");
    assert_has(text, ",1,0.75,0.96875,1\n0,0,0,1,0.5,0.9375,0\n");
    free(text);
    text = text_of("judged/audit.json");
    assert_has(text, "\"wrong\": 3");
    assert_has(text, "\"found\": 2");
    assert_has(text, "\"precision\": 0.5");
    free(text);
    text = read_page("judged/audit.html");
    assert_has(text, "3 labels are wrong, and 2 of the suspects among them: precision 50.0\xC2\xA0%, recall "
                     "66.7\xC2\xA0%, average precision of the whole order 66.7\xC2\xA0%");
    free(text);
}

/* Nobody suspected is a result too. */
static void a_clean_dataset_has_a_page(void **state)
{
    (void)state;
    struct unseen_dataset data = drawn();
    struct unseen_audit clean = found;
    clean.count = 0;
    data.split[UNSEEN_TRAIN].paths = NULL;
    assert_ok(unseen_audit_write(&clean, &data, NULL, test_path("clean")));
    char *text = text_of("clean/suspects.csv");
    assert_string_equal(text, "index,label,path,suggested,confidence,score\n");
    free(text);
    text = read_page("clean/audit.html");
    assert_has(text, "No label is named: --count N");
    free(text);
}

/* Of many classes those with most suspects. */
static void many_classes_stay_small(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    static char name[] = "one of many";
    struct unseen_dataset data = drawn();
    struct unseen_audit large = found;
    int64_t far[N] = {0, 0, MANY - 1, 0, 1, 1};
    char **many = calloc(MANY, sizeof *many);
    assert_non_null(many);
    for (int c = 0; c < MANY; c++)
        many[c] = c < CLASSES ? names[c] : name;
    large.labels = far;
    narrow[2] = MANY - 1;
    large.classes = data.classes = MANY;
    data.class_names = many;
    assert_ok(unseen_audit_write(&large, &data, NULL, test_path("many")));
    char *text = read_page("many/audit.html");
    assert_has(text, "The 200 classes with most suspects, of 20000.");
    assert_has(text, "<tbody>\n<tr><td>cat</td><td>3</td><td>3</td>");
    assert_has(text, "<tr><td>one of many</td><td>1</td><td>1</td>");
    assert_in_range(strlen(text), 1, 100000);
    free(text);
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_hold_the_suspects),
        cmocka_unit_test(the_page_tells_what_made_it),
        cmocka_unit_test(the_truth_is_told_where_it_is_known),
        cmocka_unit_test(a_clean_dataset_has_a_page),
        cmocka_unit_test(many_classes_stay_small),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
