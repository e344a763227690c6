/*
 * See kernels.h. Each function works on data that it makes itself and returns a hash of all results, bit by bit. What a compiler turns into
 * something of its own is preferred: divisions by constants, strides, reductions, conversions, selects, shuffles, tables.
 * TABLE names the list of functions in this build.
 */
#include "kernels.h"

enum { N = 512 };

static u64 mix(u64 h, u64 v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}
static u64 next(u64 *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	return *s ^= *s << 17;
}
static u64 of_double(double d)
{
	union {
		double d;
		u64 u;
	} v = {d};

	return v.u;
}
static u64 of_float(float f)
{
	union {
		float f;
		u32 u;
	} v = {f};

	return v.u;
}
static u64 of_long_double(long double x)
{
	union {
		long double x;
		struct {
			u64 m;
			u16 e;
		} p;
	} v = {x};

	return mix(v.p.m, v.p.e);
}
static double real(u64 *s) { return ((double)(s64)next(s)) * 0x1p-60; }

static double da[N], db[N], dc[N];
static float fa[N], fb[N];
static long double la[64];
static u8 ba[4 * N], bb[4 * N];
static u16 wa[N], wb[N];
static s32 ia[N], ib[N];
static u64 qa[N];

static void fill(u64 seed)
{
	u64 s = seed;

	for (unsigned i = 0; i < N; i++) {
		da[i] = real(&s);
		db[i] = real(&s) + 20;
		fa[i] = (float)real(&s);
		fb[i] = (float)db[i];
		wa[i] = (u16)next(&s);
		wb[i] = (u16)next(&s);
		ia[i] = (s32)next(&s);
		ib[i] = (s32)(next(&s) >> 40) + 1;
		qa[i] = next(&s);
	}
	for (unsigned i = 0; i < 4 * N; i++) {
		ba[i] = (u8)next(&s);
		bb[i] = (u8)(next(&s) >> 5);
	}
}

/* ---- doubles and floats ---- */
static u64 matrix(void)
{
	enum { M = 20 };
	u64 h = 1;

	fill(1);
	for (unsigned i = 0; i < M; i++)
		for (unsigned j = 0; j < M; j++) {
			double s = 0;

			for (unsigned k = 0; k < M; k++)
				s += da[i * M + k] * db[k * M + j];
			dc[i * M + j] = s;
		}
	for (unsigned i = 0; i < M * M; i++)
		h = mix(h, of_double(dc[i]));
	return h;
}

static u64 newton(void)
{
	u64 h = 2;

	fill(2);
	for (unsigned i = 0; i < N; i++) {
		double x = db[i] < 0 ? -db[i] : db[i], r = x;

		for (unsigned k = 0; k < 8; k++)
			r = 0.5 * (r + x / r);
		dc[i] = r - __builtin_sqrt(x);
	}
	for (unsigned i = 0; i < N; i++)
		h = mix(h, of_double(dc[i]));
	return h;
}

/* Five bodies, velocity Verlet; square roots and divisions feed each other. */
static u64 bodies(void)
{
	double p[5][3], v[5][3], mass[5];
	u64 s = 3, h = 3;

	for (unsigned i = 0; i < 5; i++) {
		mass[i] = 1 + (double)i;
		for (unsigned k = 0; k < 3; k++) {
			p[i][k] = real(&s);
			v[i][k] = real(&s) * 0.01;
		}
	}
	for (unsigned step = 0; step < 200; step++) {
		for (unsigned i = 0; i < 5; i++)
			for (unsigned j = i + 1; j < 5; j++) {
				double d[3], r2 = 0.1, f;

				for (unsigned k = 0; k < 3; k++) {
					d[k] = p[i][k] - p[j][k];
					r2 += d[k] * d[k];
				}
				f = 0.001 / (r2 * __builtin_sqrt(r2));
				for (unsigned k = 0; k < 3; k++) {
					v[i][k] -= d[k] * mass[j] * f;
					v[j][k] += d[k] * mass[i] * f;
				}
			}
		for (unsigned i = 0; i < 5; i++)
			for (unsigned k = 0; k < 3; k++)
				p[i][k] += 0.001 * v[i][k];
	}
	for (unsigned i = 0; i < 5; i++)
		for (unsigned k = 0; k < 3; k++)
			h = mix(h, of_double(p[i][k]));
	return h;
}

static u64 mandelbrot(void)
{
	u64 h = 4;

	for (unsigned y = 0; y < 24; y++)
		for (unsigned x = 0; x < 32; x++) {
			float cr = (float)x / 12 - 2, ci = (float)y / 12 - 1, r = 0, i = 0;
			unsigned n = 0;

			for (; n < 60 && r * r + i * i < 4; n++) {
				float t = r * r - i * i + cr;

				i = 2 * r * i + ci;
				r = t;
			}
			h = mix(h, n);
			h = mix(h, of_float(r));
		}
	return h;
}

static u64 float_selects(void)
{
	u64 h = 5;
	float low = 1e30f, high = -1e30f;

	fill(5);
	for (unsigned i = 0; i < N; i++) {
		fa[i] = fa[i] > 1 ? fa[i] * fb[i] - 1 : fb[i] / (fa[i] + 9);
		low = fa[i] < low ? fa[i] : low;
		high = fa[i] > high ? fa[i] : high;
	}
	for (unsigned i = 0; i < N; i++)
		h = mix(h, of_float(fa[i]) + (fa[i] != fa[i]));
	return mix(mix(h, of_float(low)), of_float(high));
}

/* Denormals, infinities, NaNs, signed zeros. */
static u64 float_edges(void)
{
	static const double edge[] = {0.0, -0.0, 0x1p-1074, -0x1p-1060, 0x1p-1022, 1, -1, 0x1.fffffffffffffp1023, __builtin_inf(), -__builtin_inf(), __builtin_nan("")};
	enum { E = sizeof edge / sizeof *edge };
	volatile double x, y;
	u64 h = 6;

	for (unsigned i = 0; i < E; i++)
		for (unsigned j = 0; j < E; j++) {
			x = edge[i];
			y = edge[j];
			h = mix(h, of_double(x + y));
			h = mix(h, of_double(x * y));
			h = mix(h, of_double(x / y));
			h = mix(h, of_double(x - y));
			h = mix(h, (u64)(x < y) | (u64)(x == y) << 1 | (u64)(x != y) << 2 | (u64)__builtin_isunordered(x, y) << 3);
			h = mix(h, of_float((float)x));
		}
	return h;
}

static u64 conversions(void)
{
	u64 h = 7;

	fill(7);
	for (unsigned i = 0; i < N; i++) {
		h = mix(h, (u64)(s64)(da[i] * 1e6));
		h = mix(h, (u32)(s32)fa[i]);
		h = mix(h, of_float((float)qa[i]));
		h = mix(h, of_double((double)qa[i]));
		h = mix(h, of_float((float)ia[i]));
		h = mix(h, (u64)(db[i] * 0x1p55));
	}
	for (unsigned i = 0; i < N; i++)
		dc[i] = (double)fa[i] + (double)ia[i];
	for (unsigned i = 0; i < N; i++)
		h = mix(h, of_double(dc[i]));
	return h;
}

/* ---- long double ---- */
static u64 long_doubles(void)
{
	u64 h = 8, s = 8;
	long double sum = 0, x = 1;

	for (unsigned i = 0; i < 64; i++)
		la[i] = (long double)(s64)next(&s) / 3;
	for (unsigned i = 0; i < 64; i++) {
		sum += la[i] * la[(i * 7) % 64] / (la[(i + 1) % 64] + 1);
		x = __builtin_sqrtl(x + (long double)i / 7) * (i & 1 ? 1.1L : 0.9L);
		h = mix(h, of_long_double(sum));
		h = mix(h, of_long_double(x));
		h = mix(h, (u64)(s64)(x * 1000));
		h = mix(h, of_double((double)sum));
		h = mix(h, of_float((float)la[i]));
	}
	return h;
}

/* Long double sine and logarithm by the x87's own instructions. */
static u64 transcendental(void)
{
	u64 h = 9;

	for (unsigned i = 0; i < 200; i++) {
		long double x = (long double)i / 17 + 0.01L, s, c, l, a;

		__asm__("fsincos" : "=t"(c), "=u"(s) : "0"(x));
		__asm__("fyl2x" : "=t"(l) : "0"(x), "u"(1.0L) : "st(1)");
		__asm__("fpatan" : "=t"(a) : "0"(x), "u"(s) : "st(1)");
		h = mix(h, of_long_double(s));
		h = mix(h, of_long_double(c));
		h = mix(h, of_long_double(l));
		h = mix(h, of_long_double(a));
	}
	return h;
}

/* ---- integers ---- */
static u64 divisions(void)
{
	u64 h = 10;

	fill(10);
	for (unsigned i = 0; i < N; i++) {
		h = mix(h, (u32)(ia[i] / ib[i]));
		h = mix(h, (u32)(ia[i] % ib[i]));
		h = mix(h, qa[i] / 1000003 + qa[i] % 97);
		h = mix(h, (u64)((s64)qa[i] / -12345));
		h = mix(h, (u64)(((unsigned __int128)qa[i] * qa[N - 1 - i]) >> 64));
		h = mix(h, wa[i] / 10u + wa[i] % 10u);
	}
	return h;
}

/* gcc knows this for POPCNT where there is one. */
static u64 ones(u64 v)
{
	v -= v >> 1 & 0x5555555555555555;
	v = (v & 0x3333333333333333) + (v >> 2 & 0x3333333333333333);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return v * 0x0101010101010101 >> 56;
}

static u64 bits(void)
{
	u64 h = 11;

	fill(11);
	for (unsigned i = 0; i < N; i++) {
		u64 v = qa[i];
		unsigned n = (unsigned)v & 63;

		h = mix(h, (u64)__builtin_clzll(v | 1) + (u64)__builtin_ctzll(v | 1ull << 63) * 100);
		h = mix(h, (v << n | v >> (-n & 63)) + __builtin_bswap64(v));
		h = mix(h, (v & -v) + (v & (v - 1)) + (v ^ (v - 1)) + (~v & h));
		h = mix(h, v << n);
		h = mix(h, (u64)((s64)v >> n));
		h = mix(h, ones(v) + (v >> n & ((1u << (n & 15)) - 1)));
	}
	return h;
}

/* Sums, differences with saturation, averages, comparisons of bytes and words; reductions. */
static u64 pixels(void)
{
	u64 h = 12;
	u32 sad = 0, dot = 0;

	fill(12);
	for (unsigned i = 0; i < 4 * N; i++) {
		int d = ba[i] - bb[i], sum = ba[i] + bb[i];

		sad += (u32)(d < 0 ? -d : d);
		bb[i] = (u8)(sum > 255 ? 255 : sum);
	}
	for (unsigned i = 0; i < 4 * N; i++)
		ba[i] = (u8)((ba[i] + bb[i] + 1) >> 1) > 100 ? ba[i] : (u8)~ba[i];
	for (unsigned i = 0; i < N; i++) {
		dot += (u32)((s16)wa[i] * (s16)wb[i]);
		wa[i] = (u16)((wa[i] * wb[i]) >> 16);
		wb[i] = wa[i] > wb[i] ? wa[i] : wb[i];
	}
	for (unsigned i = 0; i < 4 * N; i++)
		h = mix(h, ba[i] + 256u * bb[i]);
	for (unsigned i = 0; i < N; i++)
		h = mix(h, wa[i] + 65536u * wb[i]);
	return mix(mix(h, sad), dot);
}

static u64 variable_shifts(void)
{
	u64 h = 13;

	fill(13);
	for (unsigned i = 0; i < N; i++) {
		ia[i] = (s32)((u32)ia[i] << (ib[i] & 31)) ^ (ia[i] >> (wa[i] & 31));
		qa[i] = qa[i] >> (wb[i] & 63) | qa[i] << (ib[i] & 63);
	}
	for (unsigned i = 0; i < N; i++)
		h = mix(h, (u32)ia[i] + qa[i]);
	return h;
}

/* Indices out of a table, backwards, with strides: gathers, permutations, interleaving. */
static u64 tables(void)
{
	u64 h = 14;

	fill(14);
	for (unsigned i = 0; i < N; i++)
		dc[i] = da[(u32)ia[i] % N] + db[N - 1 - i];
	for (unsigned i = 0; i < N / 2; i++) {
		ia[i] = ib[2 * i] - ib[2 * i + 1];
		fa[i] = fb[2 * i] * fb[2 * i + 1];
	}
	for (unsigned i = 0; i < N; i++)
		h = mix(mix(h, of_double(dc[i])), (u32)ia[i] + of_float(fa[i]));
	return h;
}

static u64 sort(void)
{
	u64 h = 15;

	fill(15);
	for (unsigned gap = N / 2; gap; gap /= 2)
		for (unsigned i = gap; i < N; i++) {
			double v = da[i];
			unsigned j = i;

			for (; j >= gap && da[j - gap] > v; j -= gap)
				da[j] = da[j - gap];
			da[j] = v;
		}
	for (unsigned i = 0; i < N; i++)
		h = mix(h, of_double(da[i]));
	return h;
}

/* Calls through a table, with structures by value, recursion. */
struct triple {
	double a;
	u64 b;
	float c;
};
static NOINLINE struct triple twice(struct triple t) { return (struct triple){t.a * 2, t.b + t.b, t.c + 0.5f}; }
static NOINLINE struct triple swap(struct triple t) { return (struct triple){(double)t.b, (u64)t.a & 0xffff, (float)t.a}; }
static NOINLINE u64 ackermann(u64 m, u64 n) { return !m ? n + 1 : ackermann(m - 1, n ? ackermann(m, n - 1) : 1); }

static u64 calls(void)
{
	static struct triple (*const f[2])(struct triple) = {twice, swap};
	struct triple t = {1.5, 7, 0.25f};
	u64 h = 16, s = 16;

	for (unsigned i = 0; i < 200; i++) {
		t = f[next(&s) & 1](t);
		h = mix(mix(h, of_double(t.a)), t.b + of_float(t.c));
	}
	return mix(h, ackermann(2, 6));
}

const struct compute_kernel TABLE[COMPUTE_KERNELS] = {
	{"matrix", matrix},
	{"newton", newton},
	{"bodies", bodies},
	{"mandelbrot", mandelbrot},
	{"float selects", float_selects},
	{"float edges", float_edges},
	{"conversions", conversions},
	{"long double", long_doubles},
	{"transcendental", transcendental},
	{"divisions", divisions},
	{"bits", bits},
	{"pixels", pixels},
	{"variable shifts", variable_shifts},
	{"tables", tables},
	{"sort", sort},
	{"calls", calls},
};
