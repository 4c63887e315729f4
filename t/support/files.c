#include "config.h"

#include "support/files.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <png.h>
#include <stdio.h>

#include <jpeglib.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "support/cmocka.h"

void test_file(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[2048];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    assert_ok(us_make_folder(path));
    *slash = '/';
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

uint8_t test_cifar_byte(int record, int p)
{
    return (uint8_t)(record * 7 + p * 13 + p / 1024 * 5);
}

void test_cifar(const char *folder, const char *name, int label_bytes, int classes, int first, int n)
{
    size_t record = (size_t)label_bytes + 3072;
    uint8_t *bytes = calloc((size_t)n + 1, record);
    assert_non_null(bytes);
    for (int i = 0; i < n; i++) {
        uint8_t *at = bytes + (size_t)i * record;
        at[0] = (uint8_t)((first + i) % 20);
        at[label_bytes - 1] = (uint8_t)((first + i) % classes);
        for (int p = 0; p < 3072; p++)
            at[label_bytes + p] = test_cifar_byte(first + i, p);
    }
    test_file(folder, name, bytes, (size_t)n * record);
    free(bytes);
}

void test_jpeg(const char *folder, const char *name, int height, int width, unsigned colour, int grey)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    uint8_t *row = malloc((size_t)width * 3);
    assert_non_null(row);
    for (int i = 0; i < 3 * width; i++)
        row[i] = (uint8_t)(colour >> (16 - 8 * (i % 3)));
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_height = (JDIMENSION)height;
    jpeg.image_width = (JDIMENSION)width;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_colorspace(&jpeg, grey ? JCS_GRAYSCALE : JCS_YCbCr);
    jpeg_set_quality(&jpeg, 95, TRUE);
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < height; y++)
        jpeg_write_scanlines(&jpeg, &row, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    test_file(folder, name, bytes, size);
    free(bytes);
    free(row);
}

void test_shorten(const char *folder, const char *name)
{
    char path[2048];
    struct stat about;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(truncate(path, about.st_size - 4), 0);
}

void test_png(const char *folder, const char *name, int height, int width, enum test_png colour, int depth,
              const char *row, size_t size)
{
    char path[2048];
    test_file(folder, name, "", 0);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    assert_non_null(file);
    assert_non_null(info);
    png_init_io(png, file);
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, depth, (int)colour, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    assert_int_equal(png_get_rowbytes(png, info), size);
    for (int y = 0; y < height; y++)
        png_write_row(png, (png_const_bytep)row);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    assert_int_equal(fclose(file), 0);
}

static void pack_folder(struct archive *archive, const char *folder, const char *name);

static void pack_entry(struct archive *archive, const char *name, unsigned kind, const char *bytes,
                       size_t size)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_size(entry, (la_int64_t)size);
    archive_entry_set_filetype(entry, kind);
    archive_entry_set_perm(entry, 0755);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    if (size > 0)
        assert_int_equal(archive_write_data(archive, bytes, size), size);
    archive_entry_free(entry);
}

static void pack_file(struct archive *archive, const char *path, const char *name)
{
    char *bytes = NULL;
    size_t size = 0;
    assert_ok(us_read_file(path, &bytes, &size));
    pack_entry(archive, name, AE_IFREG, bytes, size);
    free(bytes);
}

static void pack_folder(struct archive *archive, const char *folder, const char *name)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, NULL, alphasort);
    assert_true(n >= 0);
    for (int i = 0; i < n; i++) {
        char path[2048], inner[2048];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        snprintf(inner, sizeof inner, "%s%s%s", name, entries[i]->d_name, us_is_folder(path) ? "/" : "");
        if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0) {
            if (us_is_folder(path)) {
                pack_entry(archive, inner, AE_IFDIR, NULL, 0);
                pack_folder(archive, path, inner);
            } else
                pack_file(archive, path, inner);
        }
        free(entries[i]);
    }
    free(entries);
}

static bool ends_with(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

void test_archive(const char *folder, const char *archive_path, const char *prefix)
{
    struct archive *archive = archive_write_new();
    assert_non_null(archive);
    if (ends_with(archive_path, ".zip"))
        assert_int_equal(archive_write_set_format_zip(archive), ARCHIVE_OK);
    else
        assert_int_equal(archive_write_set_format_pax_restricted(archive), ARCHIVE_OK);
    if (ends_with(archive_path, ".gz"))
        assert_int_equal(archive_write_add_filter_gzip(archive), ARCHIVE_OK);
    if (ends_with(archive_path, ".xz"))
        assert_int_equal(archive_write_add_filter_xz(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(archive, archive_path), ARCHIVE_OK);
    pack_folder(archive, folder, prefix);
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
}

const char *test_real_data(const char *name)
{
    static char path[2048];
    const char *data = getenv("UNSEEN_TEST_DATA");
    if (!data || !*data)
        skip();
    snprintf(path, sizeof path, "%s/%s", data, name);
    return path;
}
