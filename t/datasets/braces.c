#include "config.h"

#include "datasets/list/braces.h"

#include <string.h>

#include "support/cmocka.h"

static void check(const char *pattern, const char *expected)
{
    struct us_braces braces = {0};
    char got[256] = "";
    assert_ok(us_braces_expand(pattern, &braces));
    for (int i = 0; i < braces.n; i++) {
        if (i > 0)
            strcat(got, " ");
        strcat(got, braces.list[i]);
    }
    assert_string_equal(got, expected);
    assert_int_equal(us_has_braces(pattern), strcmp(pattern, expected) != 0);
    us_braces_free(&braces);
}

static void expands_as_a_shell_does(void **state)
{
    (void)state;
    check("plain.tar", "plain.tar");
    check("t-{008..011}.tar", "t-008.tar t-009.tar t-010.tar t-011.tar");
    check("{9..11}", "9 10 11");
    check("{2..0}", "2 1 0");
    check("{a,b}-{0..1}", "a-0 a-1 b-0 b-1");
    check("{train-{00..01},val-0}.tar", "train-00.tar train-01.tar val-0.tar");
    check("x{a,}", "xa x");
    check("{plain}", "{plain}");
    check("{0..x}", "{0..x}");
    check("open{a,b", "open{a,b");
    check("{{a,b}}", "{a} {b}");
    check("", "");
}

static void has_a_limit(void **state)
{
    (void)state;
    struct us_braces braces = {0};
    assert_fails(UNSEEN_USAGE, "more than 1000000", us_braces_expand("{0..99999999}", &braces));
    us_braces_free(&braces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expands_as_a_shell_does),
        cmocka_unit_test(has_a_limit),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
