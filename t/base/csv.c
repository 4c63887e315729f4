#include "config.h"

#include "base/csv.h"

#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/files.h"
#include "support/folder.h"

static void quotes_where_it_must(void **state)
{
    (void)state;
    static const struct {
        const char *text, *field;
    } cases[] = {
        {NULL, ""},
        {"", ""},
        {"plain", "plain"},
        {"two words", "two words"},
        {"a,b", "\"a,b\""},
        {"say \"hi\"", "\"say \"\"hi\"\"\""},
        {"two\nlines", "\"two\nlines\""},
        {"carriage\rreturn", "\"carriage\rreturn\""},
        {" lead", "\" lead\""},
        {"trail ", "\"trail \""},
        {"\"", "\"\"\"\""},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);
        assert_non_null(stream);
        us_csv_field(stream, cases[i].text);
        fclose(stream);
        assert_string_equal(text, cases[i].field);
        free(text);
    }
}

/* Every row as "LINE:[field][field] ". */
static void check_reads(const char *text, const char *rows)
{
    struct us_csv csv = {0};
    char got[512] = "";
    size_t at = 0;
    bool there;
    test_file(test_folder, "table.csv", text, strlen(text));
    assert_ok(us_csv_open(test_path("table.csv"), &csv));
    for (;;) {
        assert_ok(us_csv_next(&csv, &there));
        if (!there)
            break;
        at += (size_t)snprintf(got + at, sizeof got - at, "%d:", (int)csv.line);
        for (int i = 0; i < csv.n; i++)
            at += (size_t)snprintf(got + at, sizeof got - at, "[%s]", csv.field[i]);
        at += (size_t)snprintf(got + at, sizeof got - at, " ");
    }
    assert_string_equal(got, rows);
    us_csv_close(&csv);
}

static void reads_what_spreadsheets_write(void **state)
{
    (void)state;
    check_reads("", "");
    check_reads("\n\r\n  \n", "");
    check_reads("a,b\nc,d", "1:[a][b] 2:[c][d] ");
    check_reads("\xEF\xBB\xBFpath,label\r\n1.jpg,cat\r\n", "1:[path][label] 2:[1.jpg][cat] ");
    check_reads("a,b\rc,d\r", "1:[a][b] 2:[c][d] ");
    check_reads("\n\na,,\n\n,b", "3:[a][][] 5:[][b] ");
    check_reads("\"a,b\",\"say \"\"hi\"\"\"\n\"two\r\nlines\",x\ny,z",
                "1:[a,b][say \"hi\"] 2:[two\r\nlines][x] 4:[y][z] ");
    check_reads(" a b , \" c \" ,\td\n", "1:[a b][ c ][d] ");
    check_reads("a;b,c\nd;e", "1:[a;b][c] 2:[d;e] ");
    check_reads("a;b\n1,5;c", "1:[a][b] 2:[1,5][c] ");
    check_reads("a b\tc\n\td\n", "1:[a b][c] 2:[][d] ");
    check_reads("sep=;\r\na,b;c\r\n", "2:[a,b][c] ");
    check_reads("\"\"", "1:[] ");
}

static void refuse_reading(const char *text, size_t size, const char *part)
{
    struct us_csv csv = {0};
    enum unseen_status st;
    bool there = true;
    test_file(test_folder, "bad.csv", text, size);
    st = us_csv_open(test_path("bad.csv"), &csv);
    while (st == UNSEEN_OK && there)
        st = us_csv_next(&csv, &there);
    assert_fails(UNSEEN_BAD_DATA, part, st);
    us_csv_close(&csv);
}

static void names_the_line_that_is_no_csv(void **state)
{
    (void)state;
    refuse_reading("a,b\n\"c,d\n", 9, "bad.csv: line 2: a quote is not closed");
    refuse_reading("a,b\n\n\"c\"\"d", 10, "line 3: a quote is not closed");
    refuse_reading("\"a\"b,c\n", 7, "line 1: text follows");
    refuse_reading("a\0,\0", 4, "zero byte");
    assert_non_null(strstr(unseen_last_hint(), "UTF-16"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_where_it_must),
        cmocka_unit_test(reads_what_spreadsheets_write),
        cmocka_unit_test(names_the_line_that_is_no_csv),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
