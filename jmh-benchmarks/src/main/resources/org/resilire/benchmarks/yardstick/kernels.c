/*
 * The block kernels as a C programmer would write them with intrinsics: yardsticks for the Java ones, compiled when a
 * benchmark starts and part of nothing else. A page has 64 blocks of 64 bytes; `pages` are byte offsets, the same in guest
 * and shadow; bit i of a mask is block i. Memory is the caller's to check.
 */
#include <immintrin.h>
#include <stdint.h>

enum { PAGE_BLOCKS = 64, BLOCK = 64 };

int yardstick_has_avx512(void) { return __builtin_cpu_supports("avx512f") != 0; }

int yardstick_has_avx2(void) { return __builtin_cpu_supports("avx2") != 0; }

/* Which blocks differ. */
__attribute__((target("avx512f")))
void yardstick_changed_avx512(const char *guest, const char *shadow, const int64_t *pages, int64_t count, uint64_t *masks)
{
    for (int64_t i = 0; i < count; i++) {
        const char *g = guest + pages[i];
        const char *s = shadow + pages[i];
        uint64_t mask = 0;
        for (int block = 0; block < PAGE_BLOCKS; block++) {
            __m512i now = _mm512_loadu_si512(g + block * BLOCK);
            __m512i old = _mm512_loadu_si512(s + block * BLOCK);
            mask |= (uint64_t) (_mm512_cmpneq_epi64_mask(now, old) != 0) << block;
        }
        masks[i] = mask;
    }
}

/* Compares, writes what differs to the shadow and packed to out; returns the bytes written to out. */
__attribute__((target("avx512f")))
int64_t yardstick_fused_avx512(const char *guest, char *shadow, char *out, const int64_t *pages, int64_t count,
                               uint64_t *masks)
{
    char *to = out;
    for (int64_t i = 0; i < count; i++) {
        const char *g = guest + pages[i];
        char *s = shadow + pages[i];
        uint64_t mask = 0;
        for (int block = 0; block < PAGE_BLOCKS; block++) {
            __m512i now = _mm512_loadu_si512(g + block * BLOCK);
            __m512i old = _mm512_loadu_si512(s + block * BLOCK);
            if (_mm512_cmpneq_epi64_mask(now, old)) {
                _mm512_storeu_si512(s + block * BLOCK, now);
                _mm512_storeu_si512(to, now);
                to += BLOCK;
                mask |= (uint64_t) 1 << block;
            }
        }
        masks[i] = mask;
    }
    return to - out;
}

/* The same with vectors of 256 bits. */
__attribute__((target("avx2")))
int64_t yardstick_fused_avx2(const char *guest, char *shadow, char *out, const int64_t *pages, int64_t count,
                             uint64_t *masks)
{
    char *to = out;
    for (int64_t i = 0; i < count; i++) {
        const char *g = guest + pages[i];
        char *s = shadow + pages[i];
        uint64_t mask = 0;
        for (int block = 0; block < PAGE_BLOCKS; block++) {
            const char *from = g + block * BLOCK;
            char *old = s + block * BLOCK;
            __m256i now0 = _mm256_loadu_si256((const __m256i *) from);
            __m256i now1 = _mm256_loadu_si256((const __m256i *) (from + 32));
            __m256i differ = _mm256_or_si256(_mm256_xor_si256(now0, _mm256_loadu_si256((const __m256i *) old)),
                                             _mm256_xor_si256(now1, _mm256_loadu_si256((const __m256i *) (old + 32))));
            if (!_mm256_testz_si256(differ, differ)) {
                _mm256_storeu_si256((__m256i *) old, now0);
                _mm256_storeu_si256((__m256i *) (old + 32), now1);
                _mm256_storeu_si256((__m256i *) to, now0);
                _mm256_storeu_si256((__m256i *) (to + 32), now1);
                to += BLOCK;
                mask |= (uint64_t) 1 << block;
            }
        }
        masks[i] = mask;
    }
    return to - out;
}

/* Compares and writes what differs packed to out; the shadow stays as it is. Returns the bytes written to out. */
__attribute__((target("avx512f")))
int64_t yardstick_copy_avx512(const char *guest, const char *shadow, char *out, const int64_t *pages, int64_t count,
                              uint64_t *masks)
{
    char *to = out;
    for (int64_t i = 0; i < count; i++) {
        const char *g = guest + pages[i];
        const char *s = shadow + pages[i];
        uint64_t mask = 0;
        for (int block = 0; block < PAGE_BLOCKS; block++) {
            __m512i now = _mm512_loadu_si512(g + block * BLOCK);
            if (_mm512_cmpneq_epi64_mask(now, _mm512_loadu_si512(s + block * BLOCK))) {
                _mm512_storeu_si512(to, now);
                to += BLOCK;
                mask |= (uint64_t) 1 << block;
            }
        }
        masks[i] = mask;
    }
    return to - out;
}
