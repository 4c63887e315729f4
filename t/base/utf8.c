#include "config.h"

#include "base/utf8.h"

#include <string.h>

#include "support/cmocka.h"

static void hidden_characters_are_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
        int n;
    } cases[] = {
        {"", "", 0},
        {"plain \xC3\xBC \xE6\x97\xA5", "plain \xC3\xBC \xE6\x97\xA5", 9},
        {"\x1B[31m", "\xEF\xBF\xBD[31m", 5},
        {"a\xE2\x80\xAE"
         "b\x7F\xC2\x9B",
         "a\xEF\xBF\xBD"
         "b\xEF\xBF\xBD\xEF\xBF\xBD",
         5},
        {"\xFF\xC3", "\xEF\xBF\xBD\xEF\xBF\xBD", 2},
    };
    char shown[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(us_utf8_show(cases[i].text, true, shown, sizeof shown), cases[i].n);
        assert_string_equal(shown, cases[i].shown);
    }
    assert_int_equal(us_utf8_show("a\n\tb", false, shown, sizeof shown), 4);
    assert_string_equal(shown, "a\n\tb");
    assert_int_equal(us_utf8_show("a\nb", true, shown, sizeof shown), 3);
    assert_string_equal(shown, "a\xEF\xBF\xBD"
                               "b");
}

static void what_finds_no_room_is_left_out(void **state)
{
    (void)state;
    char shown[6];
    memset(shown, 'x', sizeof shown);
    assert_int_equal(us_utf8_show("a\xE6\x97\xA5\xC3\xBC", true, shown, sizeof shown), 2);
    assert_string_equal(shown, "a\xE6\x97\xA5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hidden_characters_are_replaced),
        cmocka_unit_test(what_finds_no_room_is_left_out),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
