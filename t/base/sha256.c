#include "config.h"

#include "base/sha256.h"

#include <string.h>

#include "support/cmocka.h"

/* FIPS 180-4's examples (published with the standard by NIST), and the empty message. */
static void known_answers(void **state)
{
    (void)state;
    static const struct {
        const char *message, *hex;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmno"
         "pq"
         "rstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char hex[65];
        us_sha256_of(cases[i].message, strlen(cases[i].message), hex);
        assert_string_equal(hex, cases[i].hex);
    }
}

static void a_million_letters(void **state)
{
    (void)state;
    uint8_t letters[1000];
    char hex[65];
    struct sha256_ctx hash;
    memset(letters, 'a', sizeof letters);
    sha256_init(&hash);
    for (int i = 0; i < 1000; i++)
        sha256_update(&hash, sizeof letters, letters);
    us_sha256_hex(&hash, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Every length around the block size, in pieces of every size: the same as at once. */
static void pieces_do_not_matter(void **state)
{
    (void)state;
    uint8_t bytes[200];
    for (int i = 0; i < 200; i++)
        bytes[i] = (uint8_t)i;
    for (size_t size = 0; size <= 200; size++) {
        char whole[65], parts[65];
        us_sha256_of(bytes, size, whole);
        for (size_t step = 1; step <= 70; step += 3) {
            struct sha256_ctx hash;
            sha256_init(&hash);
            for (size_t at = 0; at < size; at += step)
                sha256_update(&hash, size - at < step ? size - at : step, bytes + at);
            us_sha256_hex(&hash, parts);
            assert_string_equal(parts, whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(a_million_letters),
        cmocka_unit_test(pieces_do_not_matter),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
