#include "config.h"

#include "base/shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/utf8.h"
#include "support/cmocka.h"
#include "support/folder.h"

static void test_lines(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"--out=run/1", "--out=run/1"},
                                           {"", "''"},
                                           {"a b", "'a b'"},
                                           {"it's", "'it'\\''s'"},
                                           {"$HOME;*?~!#&|<>()[]{}\"\\`", "'$HOME;*?~!#&|<>()[]{}\"\\`'"},
                                           {"\xC3\xBCn\xC3\xAF", "'\xC3\xBCn\xC3\xAF'"},
                                           {"a\nb'\\\x1B", "$'a\\012b\\'\\\\\\033'"},
                                           {"\xFF\xC3\xBC\xC3", "$'\\377\xC3\xBC\\303'"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char argument[64];
        strcpy(argument, pairs[i][0]);
        char *line = us_shell_line(1, (char *[]){argument});
        assert_string_equal(line, pairs[i][1]);
        free(line);
    }
}

/* What bash makes of a line is what the line was made of. */
static void test_a_shell_reads_the_same(void **state)
{
    (void)state;
    char odd[256];
    for (int c = 1; c < 256; c++)
        odd[c - 1] = (char)c;
    odd[255] = 0;
    char *arguments[] = {"printf", "%s\\n", "", "a  b", "-n", "it's \"so\"", "d\xC3\xBC\n", odd};
    enum { N = sizeof arguments / sizeof *arguments };
    char *line = us_shell_line(N, arguments), *script = us_format("%s >'%s'\n", line, test_path("got"));
    assert_ok(us_write_file(test_path("script"), script, strlen(script)));
    char *command = us_format("bash '%s'", test_path("script"));
    assert_int_equal(system(command), 0);
    char *got, *at;
    assert_ok(us_read_file(test_path("got"), &got, NULL));
    at = got;
    for (int i = 2; i < N; i++) {
        assert_int_equal(strncmp(at, arguments[i], strlen(arguments[i])), 0);
        at += strlen(arguments[i]);
        assert_int_equal(*at++, '\n');
    }
    assert_int_equal(*at, 0);
    free(got);
    free(command);
    free(script);
    free(line);
}

static void test_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int length;
    } cases[] = {
        {"a", 1},    {"\xC3\xBC", 2}, {"\xE2\x82\xAC", 3}, {"\xF0\x9F\x98\x80", 4}, {"\x80", 0},
        {"\xC3", 0}, {"\xC0\xAF", 0}, {"\xE0\x80\xAF", 0}, {"\xED\xA0\x80", 0},     {"\xF4\x90\x80\x80", 0},
        {"\xFF", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(us_utf8_length(cases[i].text), cases[i].length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_a_shell_reads_the_same),
        cmocka_unit_test(test_utf8),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
