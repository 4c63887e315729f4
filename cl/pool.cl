/* Max and average pooling over [n,H,W,C], forward and gradient; one work-item computes VEC channels of one
 * pixel of its output (backward: of dx, gathered from all windows that hold the pixel; in the kernels *_apart, for
 * windows that lie side by side, of all pixels of one window).
 *
 * KERNEL, STRIDE, PAD: square windows, PAD <= KERNEL / 2. OH, OW: the output's height and width. VEC divides C.
 * GROUPS = C / VEC. */
#include "vector.clh"

#ifndef C
#define H      32
#define W      32
#define C      16
#define OH     16
#define OW     16
#define KERNEL 2
#define STRIDE 2
#define PAD    0
#endif

#define GROUPS (C / VEC)

/* Work-item `i` of [n, height, width, GROUPS]. */
struct place {
    long image;
    int y, x, at; /* at: first channel */
};

static inline struct place place_of(size_t i, int height, int width)
{
    struct place p;
    p.at = (int)(i % GROUPS) * VEC;
    i /= GROUPS;
    p.x = (int)(i % width);
    i /= width;
    p.y = (int)(i % height);
    p.image = (long)(i / height);
    return p;
}

static inline long input_at(long image, int y, int x, int at)
{
    return ((image * H + y) * W + x) * C + at;
}

static inline long output_at(long image, int y, int x, int at)
{
    return ((image * OH + y) * OW + x) * C + at;
}

/* A window's range along an axis of `size` pixels, given where it starts; without padding its length is known to
 * the compiler. */
static inline int window_begin(int start)
{
    return PAD ? max(start, 0) : start;
}

static inline int window_end(int start, int size)
{
    return PAD ? min(start + KERNEL, size) : start + KERNEL;
}

kernel void pool_max_forward(int n, global const float *x, global float *y)
{
    const size_t i = get_global_id(0);
    if (i >= (size_t)n * OH * OW * GROUPS)
        return;
    const struct place p = place_of(i, OH, OW);
    const int top = p.y * STRIDE - PAD, left = p.x * STRIDE - PAD;
    vec best = (vec)(-INFINITY);
    for (int r = window_begin(top); r < window_end(top, H); r++)
        for (int c = window_begin(left); c < window_end(left, W); c++) {
            vec value = LOAD(x + input_at(p.image, r, c, p.at));
            best = ((value > best) | (value != value)) ? value : best; /* a NaN wins for good */
        }
    STORE(best, y + output_at(p.image, p.y, p.x, p.at));
}

kernel void pool_average_forward(int n, global const float *x, global float *y)
{
    const size_t i = get_global_id(0);
    if (i >= (size_t)n * OH * OW * GROUPS)
        return;
    const struct place p = place_of(i, OH, OW);
    const int top = p.y * STRIDE - PAD, left = p.x * STRIDE - PAD;
    vec sum = (vec)(0.0f);
    for (int r = window_begin(top); r < window_end(top, H); r++)
        for (int c = window_begin(left); c < window_end(left, W); c++)
            sum += LOAD(x + input_at(p.image, r, c, p.at));
    STORE(sum / (float)(KERNEL * KERNEL), y + output_at(p.image, p.y, p.x, p.at));
}

/* The windows along one axis that hold input coordinate `at` are first..last. */
static inline int first_window(int at)
{
    return max((at + PAD - KERNEL + STRIDE) / STRIDE, 0);
}

static inline int last_window(int at, int windows)
{
    return min((at + PAD) / STRIDE, windows - 1);
}

/* dy of the window (oy, ox) where it was won by the value at (r, c), else 0: equal to the maximum, and no equal
 * before it in the window. */
static inline vec won(global const float *x, global const float *y, global const float *dy, struct place p,
                      int oy, int ox)
{
    const int top = window_begin(oy * STRIDE - PAD), left = window_begin(ox * STRIDE - PAD);
    const int right = window_end(ox * STRIDE - PAD, W);
    const long o = output_at(p.image, oy, ox, p.at);
    const vec best = LOAD(y + o);
    vec gradient = LOAD(dy + o);
    vec here = LOAD(x + input_at(p.image, p.y, p.x, p.at));
    gradient = here == best ? gradient : (vec)(0.0f);
    for (int r = top; r <= p.y; r++) {
        const int end = r < p.y ? right : p.x;
        for (int c = left; c < end; c++) {
            vec earlier = LOAD(x + input_at(p.image, r, c, p.at));
            gradient = earlier == best ? (vec)(0.0f) : gradient;
        }
    }
    return gradient;
}

kernel void pool_max_backward(int n, global const float *x, global const float *y, global const float *dy,
                              int accumulate, global float *dx)
{
    const size_t i = get_global_id(0);
    if (i >= (size_t)n * H * W * GROUPS)
        return;
    const struct place p = place_of(i, H, W);
    vec sum = accumulate ? LOAD(dx + i * VEC) : (vec)(0.0f);
    for (int oy = first_window(p.y); oy <= last_window(p.y, OH); oy++)
        for (int ox = first_window(p.x); ox <= last_window(p.x, OW); ox++)
            sum += won(x, y, dy, p, oy, ox);
    STORE(sum, dx + i * VEC);
}

kernel void pool_average_backward(int n, global const float *dy, int accumulate, global float *dx)
{
    const size_t i = get_global_id(0);
    if (i >= (size_t)n * H * W * GROUPS)
        return;
    const struct place p = place_of(i, H, W);
    vec sum = (vec)(0.0f);
    for (int oy = first_window(p.y); oy <= last_window(p.y, OH); oy++)
        for (int ox = first_window(p.x); ox <= last_window(p.x, OW); ox++)
            sum += LOAD(dy + output_at(p.image, oy, ox, p.at));
    sum /= (float)(KERNEL * KERNEL);
    STORE(accumulate ? LOAD(dx + i * VEC) + sum : sum, dx + i * VEC);
}

/* The same for windows side by side, STRIDE = KERNEL and PAD = 0, a work-item a window: one pass over x and dx. What lies
 * beyond the last whole window, along the lower and the right edge, is in none: a work-item stands there, too. */
#define WINDOWS_Y ((H + KERNEL - 1) / KERNEL)
#define WINDOWS_X ((W + KERNEL - 1) / KERNEL)

static inline void put_gradient(vec gradient, int accumulate, global float *dx)
{
    STORE(accumulate ? LOAD(dx) + gradient : gradient, dx);
}

/* No gradient, to the pixels of a window that reaches beyond the image. */
static inline void put_nothing(struct place p, int accumulate, global float *dx)
{
    for (int r = p.y * KERNEL; r < min((p.y + 1) * KERNEL, H); r++)
        for (int c = p.x * KERNEL; c < min((p.x + 1) * KERNEL, W); c++)
            put_gradient((vec)(0.0f), accumulate, dx + input_at(p.image, r, c, p.at));
}

kernel void pool_max_backward_apart(int n, global const float *x, global const float *y, global const float *dy,
                                    int accumulate, global float *dx)
{
    const size_t i = get_global_id(0);
    if (i >= (size_t)n * WINDOWS_Y * WINDOWS_X * GROUPS)
        return;
    const struct place p = place_of(i, WINDOWS_Y, WINDOWS_X);
    if (p.y >= OH || p.x >= OW) {
        put_nothing(p, accumulate, dx);
        return;
    }
    const long o = output_at(p.image, p.y, p.x, p.at);
    const vec best = LOAD(y + o);
    vec left = LOAD(dy + o); /* for the first that equals the maximum, 0 behind it */
    for (int r = 0; r < KERNEL; r++)
        for (int c = 0; c < KERNEL; c++) {
            const long at = input_at(p.image, p.y * KERNEL + r, p.x * KERNEL + c, p.at);
            const vec here = LOAD(x + at);
            put_gradient(here == best ? left : (vec)(0.0f), accumulate, dx + at);
            left = here == best ? (vec)(0.0f) : left;
        }
}

kernel void pool_average_backward_apart(int n, global const float *dy, int accumulate, global float *dx)
{
    const size_t i = get_global_id(0);
    if (i >= (size_t)n * WINDOWS_Y * WINDOWS_X * GROUPS)
        return;
    const struct place p = place_of(i, WINDOWS_Y, WINDOWS_X);
    if (p.y >= OH || p.x >= OW) {
        put_nothing(p, accumulate, dx);
        return;
    }
    const vec gradient = LOAD(dy + output_at(p.image, p.y, p.x, p.at)) / (float)(KERNEL * KERNEL);
    for (int r = 0; r < KERNEL; r++)
        for (int c = 0; c < KERNEL; c++)
            put_gradient(gradient, accumulate,
                         dx + input_at(p.image, p.y * KERNEL + r, p.x * KERNEL + c, p.at));
}
