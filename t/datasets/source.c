#include "config.h"

#include "datasets/store/source.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cmocka.h"
#include "support/files.h"
#include "support/folder.h"

/* The names joined by spaces, each file's with its contents in brackets. */
static void list(const char *path, char *text, size_t size)
{
    struct us_source *source = NULL;
    const char *name = NULL;
    text[0] = '\0';
    assert_ok(us_source_open(path, &source));
    for (;;) {
        const uint8_t *bytes = NULL;
        size_t length = 0, at = strlen(text);
        assert_ok(us_source_next(source, &name));
        if (!name)
            break;
        if (name[strlen(name) - 1] == '/') {
            snprintf(text + at, size - at, "%s ", name);
            continue;
        }
        assert_ok(us_source_read(source, &bytes, &length));
        snprintf(text + at, size - at, "%s[%.*s] ", name, (int)length, (const char *)bytes);
    }
    us_source_close(source);
}

static void hidden_files_are_passed_over(void **state)
{
    (void)state;
    const char *folder = test_path("hidden");
    char text[1024];
    test_file(folder, "b/x.jpg", "X", 1);
    test_file(folder, "a/y.jpg", "", 0);
    test_file(folder, "a/._y.jpg", "bad", 3);
    test_file(folder, ".cache/z.jpg", "bad", 3);
    test_file(folder, "__MACOSX/z.jpg", "bad", 3);
    test_file(folder, "a/Thumbs.db", "bad", 3);
    test_file(folder, "desktop.ini", "bad", 3);
    list(folder, text, sizeof text);
    assert_string_equal(text, "a/ a/y.jpg[] b/ b/x.jpg[X] ");
    const char *archive = test_path("hidden.zip");
    test_archive(folder, archive, ".//top/./");
    list(archive, text, sizeof text);
    assert_string_equal(text, "top/a/ top/a/y.jpg[] top/b/ top/b/x.jpg[X] ");
    archive = test_path("climbs.tar");
    test_archive(folder, archive, "../");
    list(archive, text, sizeof text);
    assert_string_equal(text, "");
}

static void links_are_followed_and_loops_are_not(void **state)
{
    (void)state;
    const char *folder = test_path("links");
    char text[1024], path[2048];
    test_file(folder, "in/x", "X", 1);
    snprintf(path, sizeof path, "%s/again", folder);
    assert_int_equal(symlink("in", path), 0);
    snprintf(path, sizeof path, "%s/in/up", folder);
    assert_int_equal(symlink("..", path), 0);
    list(folder, text, sizeof text);
    assert_string_equal(text, "again/ again/x[X] in/ in/x[X] ");
}

static void what_is_no_file_is_named(void **state)
{
    (void)state;
    const char *folder = test_path("dangling");
    struct us_source *source = NULL;
    const char *name = NULL;
    const uint8_t *bytes = NULL;
    size_t size = 0;
    char path[2048];
    test_file(folder, "a", "A", 1);
    snprintf(path, sizeof path, "%s/b", folder);
    assert_int_equal(symlink("gone", path), 0);
    snprintf(path, sizeof path, "%s/pipe.jpg", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_ok(us_source_open(folder, &source));
    assert_ok(us_source_next(source, &name));
    assert_ok(us_source_next(source, &name));
    assert_fails(UNSEEN_BAD_DATA, "dangling/b: No such file", us_source_read(source, &bytes, &size));
    assert_ok(us_source_next(source, &name));
    assert_fails(UNSEEN_BAD_DATA, "pipe.jpg: is neither a file", us_source_read(source, &bytes, &size));
    us_source_close(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hidden_files_are_passed_over),
        cmocka_unit_test(links_are_followed_and_loops_are_not),
        cmocka_unit_test(what_is_no_file_is_named),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
