#include "config.h"

#include "base/csv.h"

#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(quotes_where_it_must)};
    return RUN_TESTS(tests, NULL, NULL);
}
