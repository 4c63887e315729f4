/* Tables of files and labels. */
#include "config.h"

#include "datasets/list/sample_list.h"

#include <string.h>

#include "support/cmocka.h"
#include "support/files.h"
#include "support/folder.h"

static const char *write_list(const char *text)
{
    test_file(test_folder, "list.csv", text, strlen(text));
    return test_path("list.csv");
}

/* "CLASS CLASS |" or "N classes |", then "PATH:LABEL:SPLIT " for each row. */
static void check(const char *text, const char *expected)
{
    struct us_sample_list list = {0};
    char got[1024] = "";
    size_t at = 0;
    assert_ok(us_sample_list_read(write_list(text), &list));
    if (!list.classes)
        at += (size_t)snprintf(got, sizeof got, "%d classes ", list.n_classes);
    for (int c = 0; c < list.n_classes && list.classes; c++)
        at += (size_t)snprintf(got + at, sizeof got - at, "%s ", list.classes[c]);
    at += (size_t)snprintf(got + at, sizeof got - at, "|");
    for (int64_t i = 0; i < list.n; i++)
        at += (size_t)snprintf(got + at, sizeof got - at, " %s:%d:%d", list.rows[i].path, list.rows[i].label,
                               (int)list.rows[i].split);
    assert_string_equal(got, expected);
    assert_int_equal(list.of_split[0] + list.of_split[1] + list.of_split[2], list.n);
    us_sample_list_free(&list);
}

static void refuse(const char *text, const char *part, const char *hint)
{
    struct us_sample_list list = {0};
    assert_fails(UNSEEN_BAD_DATA, part, us_sample_list_read(write_list(text), &list));
    assert_non_null(strstr(unseen_last_hint(), hint));
    us_sample_list_free(&list);
}

static void columns_are_found_by_name_or_place(void **state)
{
    (void)state;
    check("b.jpg,dog\na.jpg,cat\n", "cat dog | b.jpg:1:0 a.jpg:0:0");
    check("path,label,split\nb.jpg,dog,train\n./a.jpg,cat,validation\nc.jpg,cat,Test\n",
          "cat dog | b.jpg:1:0 a.jpg:0:1 c.jpg:0:2");
    check("b.jpg,dog,train\na.jpg,cat,val\n", "cat dog | b.jpg:1:0 a.jpg:0:1");
    check(",Split,Score,Label,File_Name\n0,train,0.5,x,a.jpg\n1,dev,,x,b.jpg\n", "x | a.jpg:0:0 b.jpg:0:1");
    /* FiftyOne; cleanlab beside its issues; a spreadsheet of the German Excel */
    check("filepath,ground_truth.label\n/data/a.jpg,x\n", "x | /data/a.jpg:0:0");
    check("index,path,given_label,is_label_issue\n0,a.jpg,x,True\n", "x | a.jpg:0:0");
    check("\xEF\xBB\xBFimage;class\r\n\"a;b.jpg\";Gr\xC3\xB6\xC3\x9F\x65\r\n",
          "Gr\xC3\xB6\xC3\x9F\x65 | a;b.jpg:0:0");
}

static void labels_are_numbers_if_all_are(void **state)
{
    (void)state;
    check("a.jpg,2\nb.jpg,0\n", "3 classes | a.jpg:2:0 b.jpg:0:0");
    check("a.jpg,10.0\nb.jpg,2.0\n", "11 classes | a.jpg:10:0 b.jpg:2:0");
    check("a.jpg,10\nb.jpg,2\nc.jpg,x\n", "10 2 x | a.jpg:0:0 b.jpg:1:0 c.jpg:2:0");
    check("a.jpg,-1\nb.jpg,x\n", "-1 x | a.jpg:0:0 b.jpg:1:0");
    check("a.jpg,-\nb.jpg,0\n", "- 0 | a.jpg:0:0 b.jpg:1:0");
    refuse("a.jpg,0\nb.jpg,-1\nc.jpg,-2.0\n", "line 2: label -1 is negative", "from 0 on");
    check("a.jpg,0.5\nb.jpg,0\n", "0 0.5 | a.jpg:1:0 b.jpg:0:0");
    refuse("a.jpg,0\nb.jpg,20240101\n", "line 2: label 20240101 would make more than 65536 classes",
           "from 0 on");
    refuse("a.jpg,99999999999999999999999\n", "line 1: label 999", "from 0 on");
}

static void what_is_wrong_is_named_by_its_line(void **state)
{
    (void)state;
    refuse("", "is empty", "");
    refuse("path,label\n", "names the columns, but no sample", "");
    refuse("a.jpg\nb.jpg\n", "line 1: there is a path, 'a.jpg', but no label", "path,label");
    refuse("filename,species\na.jpg,cat\n", "line 1: no column is called label", "path,label");
    refuse("a.jpg,x\nb.jpg\n", "list.csv: line 2: has no label", "");
    refuse("a.jpg,x\n,y\n", "line 2: has no path", "");
    refuse("a.jpg,x,train\n\nb.jpg,x,holdout\n", "line 3: 'holdout' is no split", "train, val or test");
    refuse("a.jpg,x,train\nb.jpg,x\n", "line 2: '' is no split", "train, val or test");
    refuse("a.jpg,x\nb.jpg,y\n./a.jpg,x\n", "line 3: a.jpg is in line 1 already", "");
    refuse("a.jpg,x\n.//a.jpg,x\n", "line 2: a.jpg is in line 1 already", "");
    refuse("/a/b.jpg,x\n/.//a/././b.jpg,x\n", "line 2: /a/b.jpg is in line 1 already", "");
    refuse("a.jpg,x\na.jpg,y\n", "line 2: a.jpg is in line 1 already, with another label", "");
    refuse("a.jpg,x\n\"b.jpg,y\n", "line 2: a quote is not closed", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_found_by_name_or_place),
        cmocka_unit_test(labels_are_numbers_if_all_are),
        cmocka_unit_test(what_is_wrong_is_named_by_its_line),
    };
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
