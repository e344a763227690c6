/*
 * MC146818A real-time clock plus RAM. Data sheet: Motorola MC146818A (ADI1026). Date and flags are functions of virtual
 * time and brought up to date when somebody looks; a timer is armed only for an interrupt that is enabled and not yet
 * due. Update-in-progress is on for the 244 us before and the 1984 us of an update (data sheet, table 6); the date
 * changes at its end. Impossible dates (30 February) run on as the calendar does.
 */
#include "devices/rtc.h"

#include "devices/report.h"

#define UIP_NS      (244000 + 1984000)
#define DIVIDER_HZ  32768
#define DAY         86400
#define CENTURY     0x32
#define HALF_SECOND 500000000

enum { SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, WEEKDAY, DAY_OF_MONTH, MONTH, YEAR };
enum { REG_A = 10, REG_B, REG_C, REG_D };
enum { A_UIP = 0x80 };
enum { B_SET = 0x80, B_PIE = 0x40, B_AIE = 0x20, B_UIE = 0x10, B_SQWE = 8, B_BINARY = 4, B_24H = 2, B_DSE = 1 };
enum { C_IRQF = 0x80, C_PF = 0x40, C_AF = 0x20, C_UF = 0x10, D_VRT = 0x80 };

const struct field rtc_fields[RTC_FIELDS] = {
	FIELD_DEC(struct rtc_state, sec_base),     FIELD_DEC(struct rtc_state, div_base),
	FIELD_DEC(struct rtc_state, seen),         FIELD_BYTES(struct rtc_state, cmos),
	FIELD_HEX(struct rtc_state, index),        FIELD_HEX(struct rtc_state, index_high),
	FIELD_DEC(struct rtc_state, nmi_off),      FIELD_DEC(struct rtc_state, day_of_week),
	FIELD_(struct rtc_state, pad, FMT_PAD, 0),
};

/* Calendar: days since 1970-01-01 of a Gregorian date; months count from March, so that leap days end a year. */
static s64 days_of(s64 year, s64 month, s64 day)
{
	s64 y = month <= 2 ? year - 1 : year, era, yoe, doy;

	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

struct date {
	unsigned year, month, day;
};

static struct date date_of(s64 days)
{
	s64 z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
	s64 yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	s64 mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 3 : mp - 9;

	return (struct date){(unsigned)(yoe + era * 400 + (month <= 2)), (unsigned)month,
			     (unsigned)(doy - (153 * mp + 2) / 5 + 1)};
}

static s64 floor_div(s64 a, s64 b) { return a / b - (a % b < 0); }
static s64 floor_mod(s64 a, s64 b) { return a - floor_div(a, b) * b; }

/* The divider chain counts (register A, DV = 010b), and the date is updated (register B, SET = 0). */
static bool divider_runs(const struct rtc_state *s) { return (s->cmos[REG_A] & 0x70) == 0x20; }
static bool clock_runs(const struct rtc_state *s) { return divider_runs(s) && !(s->cmos[REG_B] & B_SET); }

static s64 clock_seconds(const struct rtc_state *s, u64 now)
{
	return s->sec_base + floor_div((s64)now - s->div_base, NS_PER_SEC);
}

static u8 encode(const struct rtc_state *s, unsigned v)
{
	return (u8)(s->cmos[REG_B] & B_BINARY ? v : v / 10 % 10 << 4 | v % 10);
}

static unsigned decode(const struct rtc_state *s, u8 v)
{
	return s->cmos[REG_B] & B_BINARY ? v : (v >> 4) * 10u + (v & 15);
}

static u8 encode_hour(const struct rtc_state *s, unsigned h)
{
	if (s->cmos[REG_B] & B_24H)
		return encode(s, h);
	return encode(s, h % 12 ? h % 12 : 12) | (h >= 12 ? 0x80 : 0);
}

static unsigned decode_hour(const struct rtc_state *s, u8 v)
{
	if (s->cmos[REG_B] & B_24H)
		return decode(s, v);
	return decode(s, v & 0x7f) % 12 + (v & 0x80 ? 12 : 0);
}

/* The date as its registers show it. */
static void show_date(const struct rtc_state *s, u64 now, u8 *reg)
{
	s64 sec = clock_seconds(s, now), days = floor_div(sec, DAY);
	unsigned sod = (unsigned)floor_mod(sec, DAY);
	struct date d = date_of(days);

	reg[SECONDS] = encode(s, sod % 60);
	reg[MINUTES] = encode(s, sod / 60 % 60);
	reg[HOURS] = encode_hour(s, sod / 3600);
	reg[WEEKDAY] = encode(s, (unsigned)floor_mod(days + 4 + s->day_of_week, 7) + 1);
	reg[DAY_OF_MONTH] = encode(s, d.day);
	reg[MONTH] = encode(s, d.month);
	reg[YEAR] = encode(s, d.year % 100);
	reg[CENTURY] = encode(s, d.year / 100 % 100);
}

/* The clock goes on from what the registers say; the divider chain keeps its phase. */
static void take_date(struct rtc_state *s, u64 now)
{
	const u8 *reg = s->cmos;
	s64 year = decode(s, reg[CENTURY]) * 100 + decode(s, reg[YEAR]);
	s64 month = decode(s, reg[MONTH]), days;

	days = days_of(year, month < 1 ? 1 : month > 12 ? 12 : month, decode(s, reg[DAY_OF_MONTH]));
	s->day_of_week = (u8)floor_mod((s64)decode(s, reg[WEEKDAY]) - 1 - (days + 4), 7);
	s->sec_base = days * DAY + decode_hour(s, reg[HOURS]) * 3600 + decode(s, reg[MINUTES]) * 60 +
		      decode(s, reg[SECONDS]) - floor_div((s64)now - s->div_base, NS_PER_SEC);
}

/* An alarm register of C0h and above matches always. */
static bool alarm_matches(const struct rtc_state *s, unsigned reg, unsigned val)
{
	u8 alarm = s->cmos[reg];

	if (alarm >= 0xc0)
		return true;
	return (reg == HOURS_ALARM ? decode_hour(s, alarm) : decode(s, alarm)) == val;
}

/* Seconds from sec (excluded) to the next alarm, at most a day; 0 when no time of day matches. */
static unsigned alarm_distance(const struct rtc_state *s, s64 sec)
{
	unsigned sod = (unsigned)floor_mod(sec, DAY), i = 1;

	while (i <= DAY) {
		unsigned t = (sod + i) % DAY;

		if (!alarm_matches(s, HOURS_ALARM, t / 3600))
			i += 3600 - t % 3600;
		else if (!alarm_matches(s, MINUTES_ALARM, t / 60 % 60))
			i += 60 - t % 60;
		else if (!alarm_matches(s, SECONDS_ALARM, t % 60))
			i++;
		else
			return i;
	}
	return 0;
}

/* The periodic interrupt's period in clocks of the divider, 0 when off (data sheet, table 5). */
static unsigned period_clocks(const struct rtc_state *s)
{
	unsigned rate = s->cmos[REG_A] & 15;

	if (!rate)
		return 0;
	return 1u << (rate <= 2 ? rate + 6 : rate - 1);
}

/* Clocks of the divider since div_base, and the first nanosecond of one. */
static s64 divider_clock(const struct rtc_state *s, u64 now)
{
	return (s64)muldiv(now - (u64)s->div_base, DIVIDER_HZ, NS_PER_SEC);
}

static u64 divider_ns(const struct rtc_state *s, s64 clock)
{
	return (u64)s->div_base + ((u64)clock * (NS_PER_SEC / 512) + 63) / 64;
}

/* Bring the flags of register C up to now. */
static void sync(struct rtc_state *s, u64 now)
{
	unsigned period = period_clocks(s);

	if (divider_runs(s) && period && divider_clock(s, s->seen) / period != divider_clock(s, now) / period)
		s->cmos[REG_C] |= C_PF;
	if (clock_runs(s)) {
		s64 from = clock_seconds(s, s->seen), to = clock_seconds(s, now);

		if (from != to) {
			unsigned alarm = alarm_distance(s, from);

			s->cmos[REG_C] |= C_UF | (alarm && from + alarm <= to ? C_AF : 0);
		}
	}
	s->seen = now;
}

static u64 next_periodic(const struct rtc_state *s, u64 now)
{
	unsigned period = period_clocks(s);

	if (!divider_runs(s) || !period)
		return TIME_NEVER;
	return divider_ns(s, (divider_clock(s, now) / period + 1) * period);
}

/* When the clock shows the second that is so many after the present one. */
static u64 second_ns(const struct rtc_state *s, u64 now, unsigned distance)
{
	return (u64)(s->div_base + (floor_div((s64)now - s->div_base, NS_PER_SEC) + distance) * (s64)NS_PER_SEC);
}

/* Interrupt line and timer follow the flags, which are up to date. */
static void update(struct rtc *r)
{
	struct rtc_state *s = &r->s;
	u8 enabled = s->cmos[REG_B] & (B_PIE | B_AIE | B_UIE);
	bool due = s->cmos[REG_C] & enabled;
	u64 when = TIME_NEVER;

	irq_set(&r->irq, due);
	if (!due && enabled & B_PIE)
		when = next_periodic(s, s->seen);
	if (!due && enabled & (B_UIE | B_AIE) && clock_runs(s)) {
		unsigned distance = enabled & B_UIE ? 1 : alarm_distance(s, clock_seconds(s, s->seen));
		u64 update_at = distance ? second_ns(s, s->seen, distance) : TIME_NEVER;

		if (update_at < when)
			when = update_at;
	}
	if (when != TIME_NEVER)
		timer_arm(&r->timer, when);
	else
		timer_cancel(&r->timer);
}

static void fire(void *arg, u64 now)
{
	struct rtc *r = arg;

	sync(&r->s, now);
	update(r);
}

static bool is_date(unsigned index) { return index == CENTURY || (index <= YEAR && !(index < WEEKDAY && index & 1)); }

static bool updating(const struct rtc_state *s, u64 now)
{
	return clock_runs(s) && floor_mod((s64)now - s->div_base, NS_PER_SEC) >= (s64)NS_PER_SEC - UIP_NS;
}

/* A register without the effects of reading it. Register C is shown as of the last sync. */
static u8 look(const struct rtc_state *s, u64 now, unsigned index)
{
	u8 date[CENTURY + 1];

	if (is_date(index) && clock_runs(s)) {
		show_date(s, now, date);
		return date[index];
	}
	if (index == REG_A)
		return s->cmos[REG_A] | (updating(s, now) ? A_UIP : 0);
	if (index == REG_C)
		return s->cmos[REG_C] | (s->cmos[REG_C] & s->cmos[REG_B] & 0x70 ? C_IRQF : 0);
	return s->cmos[index];
}

static u8 read_cmos(struct rtc *r, unsigned index)
{
	u8 val;

	if (index != REG_C)
		return look(&r->s, r->sched->now, index);
	sync(&r->s, r->sched->now);
	val = look(&r->s, r->sched->now, REG_C);
	r->s.cmos[REG_C] = 0;
	update(r);
	return val;
}

/* The registers hold the date while the clock stands, sec_base while it runs: carry it over when that changes. */
static void change_control(struct rtc *r, unsigned reg, u8 val)
{
	struct rtc_state *s = &r->s;
	u64 now = r->sched->now;
	bool ran = clock_runs(s), divided = divider_runs(s);

	sync(s, now);
	if (ran)
		show_date(s, now, s->cmos);
	s->cmos[reg] = val;
	if (!divided && divider_runs(s)) /* the first update is half a second after the divider's reset ends */
		s->div_base = (s64)now - HALF_SECOND;
	if (!ran && clock_runs(s))
		take_date(s, now);
	update(r);
}

static void write_a(struct rtc *r, u8 val)
{
	u8 dv = val >> 4 & 7;

	if (dv != 2 && dv < 6)
		device_unimplemented("rtc: divider %u (register A bits 6:4), for another crystal: the clock stands",
				     dv);
	change_control(r, REG_A, val & 0x7f);
}

/* SET clears the update-ended interrupt enable. */
static void write_b(struct rtc *r, u8 val)
{
	if (val & B_DSE)
		device_unimplemented("rtc: daylight saving (register B bit 0)");
	if (val & B_SET)
		val &= (u8)~B_UIE;
	change_control(r, REG_B, val);
}

static void write_date(struct rtc *r, unsigned index, u8 val)
{
	struct rtc_state *s = &r->s;
	u64 now = r->sched->now;

	sync(s, now);
	if (clock_runs(s)) {
		show_date(s, now, s->cmos);
		s->cmos[index] = val;
		take_date(s, now);
	} else {
		s->cmos[index] = val;
	}
	update(r);
}

static void write_cmos(struct rtc *r, unsigned index, u8 val)
{
	if (is_date(index)) {
		write_date(r, index, val);
	} else if (index <= HOURS_ALARM) {
		sync(&r->s, r->sched->now);
		r->s.cmos[index] = val;
		update(r);
	} else if (index == REG_A) {
		write_a(r, val);
	} else if (index == REG_B) {
		write_b(r, val);
	} else if (index != REG_C && index != REG_D) {
		r->s.cmos[index] = val;
	}
}

static unsigned selected(const struct rtc_state *s, u64 off)
{
	return off & 2 ? 128u + (s->index_high & 127) : s->index & 127u;
}

static u64 rtc_read(void *dev, u64 off, unsigned size)
{
	struct rtc *r = dev;

	(void)size;
	return off & 1 ? read_cmos(r, selected(&r->s, off)) : 0xff; /* the index registers are write-only */
}

static u64 rtc_peek(const void *dev, u64 off, unsigned size)
{
	const struct rtc *r = dev;

	(void)size;
	return off & 1 ? look(&r->s, r->sched->now, selected(&r->s, off)) : 0xff;
}

static void write_index(struct rtc *r, u8 val)
{
	u8 off = val >> 7;

	r->s.index = val & 127;
	if (off == r->s.nmi_off)
		return;
	r->s.nmi_off = off;
	if (r->nmi_mask)
		r->nmi_mask(r->nmi_arg, off);
}

static void rtc_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct rtc *r = dev;

	(void)size;
	switch (off & 3) {
	case 0: write_index(r, (u8)val); break;
	case 2: r->s.index_high = val & 127; break;
	default: write_cmos(r, selected(&r->s, off), (u8)val); break;
	}
}

const struct region_ops rtc_ops = {"rtc", rtc_read, rtc_write, rtc_peek, 1, 1};

void rtc_set_cmos(struct rtc *r, u8 index, u8 val)
{
	unsigned sum = 0;

	if (index <= REG_D || index == CENTURY)
		return;
	r->s.cmos[index] = val;
	for (unsigned i = 0x10; i <= 0x2d; i++)
		sum += r->s.cmos[i];
	r->s.cmos[0x2e] = (u8)(sum >> 8);
	r->s.cmos[0x2f] = (u8)sum;
}

/* size / unit as n bytes, little-endian, at most max. */
static void set_size(struct rtc *r, u8 index, unsigned n, u64 size, u64 unit, u64 max)
{
	u64 val = size / unit < max ? size / unit : max;

	for (unsigned i = 0; i < n; i++)
		rtc_set_cmos(r, (u8)(index + i), (u8)(val >> 8 * i));
}

static void set_sizes(struct rtc *r, u64 below_4g, u64 above_4g)
{
	u64 above_1m = below_4g > 0x100000 ? below_4g - 0x100000 : 0;
	u64 above_16m = below_4g > 0x1000000 ? below_4g - 0x1000000 : 0;

	rtc_set_cmos(r, 0x14, 0x06); /* equipment: coprocessor and PS/2 mouse */
	set_size(r, 0x15, 2, below_4g, 1024, 640);
	set_size(r, 0x17, 2, above_1m, 1024, 0xffff);
	set_size(r, 0x30, 2, above_1m, 1024, 0xffff);
	set_size(r, 0x34, 2, above_16m, 0x10000, 0xffff);
	set_size(r, 0x5b, 3, above_4g, 0x10000, 0xffffff);
}

void rtc_reset(struct rtc *r)
{
	struct rtc_state *s = &r->s;

	sync(s, r->sched->now);
	s->cmos[REG_B] &= (u8) ~(B_PIE | B_AIE | B_UIE | B_SQWE);
	s->cmos[REG_C] = 0;
	update(r);
}

void rtc_init(struct rtc *r, struct sched *sched, u32 timer_id, s64 unix_time, u64 below_4g, u64 above_4g)
{
	*r = (struct rtc){.sched = sched};
	timer_init(&r->timer, sched, timer_id, fire, r);
	r->s.sec_base = unix_time;
	r->s.div_base = (s64)sched->now;
	r->s.seen = sched->now;
	r->s.cmos[REG_A] = 0x26;
	r->s.cmos[REG_B] = B_24H;
	r->s.cmos[REG_D] = D_VRT;
	set_sizes(r, below_4g, above_4g);
	update(r);
}

void rtc_post_load(struct rtc *r)
{
	update(r);
	if (r->nmi_mask)
		r->nmi_mask(r->nmi_arg, r->s.nmi_off);
}
