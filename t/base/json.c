#include "config.h"

#include "base/json.h"

#include <math.h>
#include <string.h>

#include "base/atomic.h"
#include "base/fs.h"
#include "support/cmocka.h"
#include "support/folder.h"

static void saves_in_order_and_loads(void **state)
{
    (void)state;
    char *text;
    json_t *object =
        json_pack("{s:s, s:[i, i], s:o}", "z", "caf\xc3\xa9", "a", 1, 2, "f", us_json_float(0.1f));
    assert_non_null(object);
    assert_ok(us_json_save(test_path("a.json"), object));
    assert_ok(us_read_file(test_path("a.json"), &text, NULL));
    assert_string_equal(text,
                        "{\n  \"z\": \"caf\xc3\xa9\",\n  \"a\": [\n    1,\n    2\n  ],\n  \"f\": 0.1\n}\n");
    free(text);
    json_t *loaded;
    assert_ok(us_json_load(test_path("a.json"), &loaded));
    assert_true(json_equal(json_object_get(loaded, "a"), json_object_get(object, "a")));
    json_decref(loaded);
    json_decref(object);
}

static void refuses_what_is_no_object(void **state)
{
    (void)state;
    json_t *object;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "line 1: "},
        {"{\n\"a\": 1,\n}", "line 3: "},
        {"{\"a\": 1, \"a\": 2}", "duplicate"},
        {"[1, 2]", "is not a JSON object"},
        {"{\"a\": 1} x", "line 1: "},
        {"{\"a\": \"\xff\"}", "line 1: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ok(us_write_file(test_path("b.json"), cases[i].text, strlen(cases[i].text)));
        assert_fails(UNSEEN_BAD_DATA, cases[i].reason, us_json_load(test_path("b.json"), &object));
        assert_non_null(strstr(unseen_last_error(), "b.json: "));
    }
    assert_fails(UNSEEN_FAILED, "No such file", us_json_load(test_path("none.json"), &object));
    assert_fails(UNSEEN_FAILED, "memory", us_json_save(test_path("c.json"), NULL));
    assert_fails(UNSEEN_FAILED, "No such file", us_json_save(test_path("no/c.json"), json_null()));
    assert_fails(UNSEEN_FAILED, "JSON", us_json_save(test_path("c.json"), json_true()));
    assert_false(us_exists(test_path("c.json")));
}

static void floats_survive(void **state)
{
    (void)state;
    static const float values[] = {0, 0.1f, 1.0f / 3, 5e-4f, 1e-45f, 3.4028235e38f, 16777217.0f, -2.5f};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        json_t *object = json_pack("{s:o}", "v", us_json_float(values[i])), *loaded;
        double value;
        assert_ok(us_json_save(test_path("f.json"), object));
        assert_ok(us_json_load(test_path("f.json"), &loaded));
        assert_ok(us_json_real(loaded, "f", "v", -INFINITY, INFINITY, &value));
        assert_true((float)value == values[i]);
        json_decref(object);
        json_decref(loaded);
    }
    assert_true(json_is_null(us_json_float(NAN)));
}

static void reads_fields(void **state)
{
    (void)state;
    static const char text[] = "{\"i\": 7, \"r\": 0.5, \"s\": \"x\"}";
    json_t *object;
    int64_t integer;
    double real;
    const char *string;
    assert_ok(us_json_parse("mem", text, strlen(text), &object));
    assert_ok(us_json_integer(object, "mem", "i", 0, 7, &integer));
    assert_int_equal(integer, 7);
    assert_ok(us_json_real(object, "mem", "r", 0, 1, &real));
    assert_true(real == 0.5);
    assert_ok(us_json_real(object, "mem", "i", 0, 10, &real));
    assert_ok(us_json_string(object, "mem", "s", &string));
    assert_string_equal(string, "x");
    assert_fails(UNSEEN_BAD_DATA, "mem: \"n\" is missing",
                 us_json_integer(object, "mem", "n", 0, 1, &integer));
    assert_fails(UNSEEN_BAD_DATA, "out of range 0..6", us_json_integer(object, "mem", "i", 0, 6, &integer));
    assert_fails(UNSEEN_BAD_DATA, "not an integer", us_json_integer(object, "mem", "r", 0, 6, &integer));
    assert_fails(UNSEEN_BAD_DATA, "out of range", us_json_real(object, "mem", "r", 1, 2, &real));
    assert_fails(UNSEEN_BAD_DATA, "not a number", us_json_real(object, "mem", "s", 1, 2, &real));
    assert_fails(UNSEEN_BAD_DATA, "missing", us_json_real(object, "mem", "n", 1, 2, &real));
    assert_fails(UNSEEN_BAD_DATA, "not a string", us_json_string(object, "mem", "r", &string));
    assert_fails(UNSEEN_BAD_DATA, "missing", us_json_string(object, "mem", "n", &string));
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saves_in_order_and_loads),
        cmocka_unit_test(refuses_what_is_no_object),
        cmocka_unit_test(floats_survive),
        cmocka_unit_test(reads_fields),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
