#include "config.h"

#include "datasets/image/filter.h"

#include <stdbool.h>
#include <string.h>

enum { HALF = 1 << (US_FILTER_BITS - 1) };

static uint8_t byte_of(int32_t sum)
{
    int32_t value = sum >> US_FILTER_BITS;
    return (uint8_t)(value > 255 ? 255 : value);
}

static void columns_plain(const uint8_t *row, const int *first, const int32_t *weights, int taps, int outputs,
                          uint8_t *to)
{
    for (int i = 0; i < outputs; i++, to += 3, weights += 4 * taps) {
        const uint8_t *from = row + 4 * (size_t)first[i];
        int32_t sums[3] = {HALF, HALF, HALF};
        for (int k = 0; k < 4 * taps; k += 4) {
            for (int c = 0; c < 3; c++)
                sums[c] += from[k + c] * weights[k];
        }
        for (int c = 0; c < 3; c++)
            to[c] = byte_of(sums[c]);
    }
}

static void rows_plain(const uint8_t *const *rows, const int32_t *weights, int n, size_t size, uint8_t *to)
{
    for (size_t x = 0; x < size; x++) {
        int32_t sum = HALF;
        for (int k = 0; k < n; k++)
            sum += rows[k][x] * weights[k];
        to[x] = byte_of(sum);
    }
}

#if defined __x86_64__

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* Two pixels at a time. */
AVX2 static void columns_avx2(const uint8_t *row, const int *first, const int32_t *weights, int taps,
                              int outputs, uint8_t *to)
{
    for (int i = 0; i < outputs; i++, to += 3) {
        const uint8_t *from = row + 4 * (size_t)first[i];
        __m256i sums = _mm256_setzero_si256();
        for (int k = 0; k < taps; k += 2, from += 8, weights += 8) {
            __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)from));
            __m256i by = _mm256_loadu_si256((const __m256i *)weights);
            sums = _mm256_add_epi32(sums, _mm256_mullo_epi32(bytes, by));
        }
        __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
        sum = _mm_srli_epi32(_mm_add_epi32(sum, _mm_set1_epi32(HALF)), US_FILTER_BITS);
        sum = _mm_packus_epi32(sum, sum);
        int pixel = _mm_cvtsi128_si32(_mm_packus_epi16(sum, sum));
        memcpy(to, &pixel, sizeof pixel);
    }
}

/* 16 bytes at `x` of each row. */
AVX2 static __m128i chunk_avx2(const uint8_t *const *rows, const int32_t *weights, int n, size_t x)
{
    __m256i low = _mm256_set1_epi32(HALF), high = low;
    for (int k = 0; k < n; k++) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(rows[k] + x));
        __m256i by = _mm256_set1_epi32(weights[k]);
        low = _mm256_add_epi32(low, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(bytes), by));
        bytes = _mm_unpackhi_epi64(bytes, bytes);
        high = _mm256_add_epi32(high, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(bytes), by));
    }
    low = _mm256_srli_epi32(low, US_FILTER_BITS);
    high = _mm256_srli_epi32(high, US_FILTER_BITS);
    __m256i words = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xd8);
    return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

AVX2 static void rows_avx2(const uint8_t *const *rows, const int32_t *weights, int n, size_t size,
                           uint8_t *to)
{
    size_t x = 0;
    for (; size - x >= 16; x += 16)
        _mm_storeu_si128((__m128i *)(to + x), chunk_avx2(rows, weights, n, x));
    if (x < size) {
        uint8_t last[16];
        _mm_storeu_si128((__m128i *)last, chunk_avx2(rows, weights, n, x));
        memcpy(to + x, last, size - x);
    }
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

#else

static bool has_avx2(void)
{
    return false;
}

#define columns_avx2 columns_plain
#define rows_avx2    rows_plain

#endif

void us_filter_columns(const uint8_t *row, const int *first, const int32_t *weights, int taps, int outputs,
                       uint8_t *to)
{
    (has_avx2() ? columns_avx2 : columns_plain)(row, first, weights, taps, outputs, to);
}

void us_filter_rows(const uint8_t *const *rows, const int32_t *weights, int n, size_t size, uint8_t *to)
{
    (has_avx2() ? rows_avx2 : rows_plain)(rows, weights, n, size, to);
}
