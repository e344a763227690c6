/* See panes.h. Layout, from the left: screen, buttons, registers, events; then the walk, the memory behind a cell, the
 * VMCB or an ARM's TLB. */
#include "ui/panes.h"

#include "debug/dump.h"
#include "debug/event_text.h"
#include "debug/mon_arm.h"
#include "debug/regs.h"
#include "svm/explain.h"

enum {
	LEFT = 724, /* at least, of the left column: 120 small characters */
	WALK_W = 1020,
	WALK_H = 790,
	BAR = 24, /* the row of buttons */
	BUTTON_W = 76,
	REGISTERS_H = 190,
	EVENTS_H = 250,
	LOWER_H = 200, /* memory and VMCB below the walk */
	TITLE_H = 14,
	PAD = 4,
	MEMORY_ROWS = 16,
	MEMORY_W = 460,
	EVENTS = 22
};
enum {
	PAPER = 0x15181d,
	INK = 0xe8eaee,
	FAINT = 0xa4abb5,
	BORDER = 0x464d57,
	TITLE = 0x2c333d,
	MARK = 0xffb35c,
	ON = 0x1f5a8a
};

/* Between host and guest, or an ARM's modes. */
static u32 switches(const struct panes *p) { return p->t->icp ? BIT(EV_MODE) : BIT(EV_VMRUN) | BIT(EV_VMEXIT); }

/* The machine's ring keeps the events; here it stops at the next switch, if it is to. */
static void hear(void *arg, const struct event *e)
{
	struct panes *p = arg;
	struct machine *m = p->t->machine;

	if (!p->until_switch || !(switches(p) >> e->kind & 1))
		return;
	p->until_switch = false;
	p->paused = true;
	m->sched.kick = true;
	machine_look_soon(m);
}

void panes_init(struct panes *p, struct hub *hub)
{
	memset(p, 0, sizeof *p);
	p->t = hub->t;
	p->memory = PANES_MEMORY_NONE;
	hub_listen(hub, hub_add(hub, hear, p), (u32)(BIT(EV_EXCEPTION) | BIT(EV_INTERRUPT) | BIT(EV_RESET) | switches(p)));
}

/* ---- layout ---- */

struct place {
	int x, y, w, h;
};

static int max(int a, int b) { return a > b ? a : b; }
static int left_width(int screen_w) { return max(screen_w, LEFT); }

void panes_size(int screen_w, int screen_h, int *w, int *h)
{
	*w = left_width(screen_w) + WALK_W;
	*h = max(screen_h + BAR + REGISTERS_H + EVENTS_H, WALK_H + LOWER_H);
}

static struct place walk_place(int sw) { return (struct place){left_width(sw), 0, WALK_W, WALK_H}; }
static struct place memory_place(int sw) { return (struct place){left_width(sw), WALK_H, MEMORY_W, LOWER_H}; }

static struct place vmcb_place(int sw, int h)
{
	return (struct place){left_width(sw) + MEMORY_W, WALK_H, WALK_W - MEMORY_W, h - WALK_H};
}

static struct place registers_place(int sw, int sh) { return (struct place){0, sh + BAR, left_width(sw), REGISTERS_H}; }

static struct place events_place(int sw, int sh, int h)
{
	int y = sh + BAR + REGISTERS_H;

	return (struct place){0, y, left_width(sw), h - y};
}

/* ---- text ---- */

/* An empty pane with its title. */
static void pane(struct canvas *c, struct place p, const char *title)
{
	canvas_fill(c, p.x, p.y, p.w, p.h, PAPER);
	canvas_fill(c, p.x, p.y, p.w, TITLE_H, TITLE);
	canvas_frame(c, p.x, p.y, p.w, p.h, BORDER);
	canvas_text(c, p.x + PAD, p.y + 3, title, 160, false, INK);
}

/* Lines as far as there is room: the first ones. */
static void lines(struct canvas *c, struct place p, const char *s)
{
	unsigned columns = (unsigned)(p.w - 2 * PAD) / CANVAS_SMALL_W;

	for (int y = p.y + TITLE_H + PAD; *s && y + CANVAS_SMALL <= p.y + p.h; y += CANVAS_SMALL) {
		const char *end = strchr(s, '\n');

		canvas_text(c, p.x + PAD, y, s, columns, false, INK);
		s = end ? end + 1 : s + strlen(s);
	}
}

static struct text *start(struct panes *p, struct text *t)
{
	text_init_buffer(t, p->text, sizeof p->text);
	return t;
}

/* ---- the panes ---- */

static void draw_registers(struct panes *p, struct canvas *c, struct place at)
{
	struct worlds worlds = {.t = p->t};
	char title[96];
	struct text t;
	struct view v;

	view_get(&worlds, p->t->machine->s.turn_cpu, VIEW_NOW, 0, &v);
	snprintf(title, sizeof title, "Registers of cpu%u (%s), %llu instructions", v.id, v.name, (unsigned long long)p->t->machine->s.icount);
	pane(c, at, title);
	start(p, &t);
	if (v.arm)
		regs_print(&t, &v);
	else
		dump_cpu(&t, v.cpu);
	lines(c, at, p->text);
}

static void draw_tlb(struct panes *p, struct canvas *c, struct place at)
{
	char title[96];
	struct text t;
	u64 n = mon_tlb_arm_print(start(p, &t), &p->t->icp->cpu.tlb);

	snprintf(title, sizeof title, "TLB: %llu translations", (unsigned long long)n);
	pane(c, at, title);
	lines(c, at, p->text);
}

static void draw_vmcb(struct panes *p, struct canvas *c, struct place at)
{
	struct x86_cpu *cpu = pc_current(p->t->pc);
	char title[96] = "VMCB: no guest has run on this CPU";
	struct text t;

	if (cpu->svm.vmcb_pa)
		snprintf(title, sizeof title, "VMCB at %llx, fields that are not zero",
			 (unsigned long long)cpu->svm.vmcb_pa);
	pane(c, at, title);
	if (!cpu->svm.vmcb_pa)
		return;
	svm_print_vmcb(start(p, &t), cpu, cpu->svm.vmcb_pa, false);
	lines(c, at, p->text);
}

/* The newest at the bottom. */
static void draw_events(struct panes *p, struct canvas *c, struct place at)
{
	const struct event_log *l = &p->t->machine->log;
	u64 n = (u64)(at.h - TITLE_H - PAD) / CANVAS_SMALL;
	struct text t;

	pane(c, at, "Events");
	n = n < l->count ? n : l->count;
	start(p, &t);
	for (u64 i = l->count - n; i < l->count; i++) {
		const struct event *e = &l->ring[i % EVENT_RING];
		size_t before = t.used;

		event_print(&t, p->t, e);
		if (t.used == before)
			text_puts(&t, "\n");
	}
	lines(c, at, p->text);
}

static void draw_memory(struct panes *p, struct canvas *c, struct place at)
{
	const unsigned word = p->t->icp ? 4 : 8;
	u64 base = p->memory & ~0x7full;
	char title[96] = "Memory: click on a cell of the walk";
	int y = at.y + TITLE_H + PAD;

	if (p->memory != PANES_MEMORY_NONE)
		snprintf(title, sizeof title, "Memory at %llx (the cell's entry is marked)",
			 (unsigned long long)p->memory);
	pane(c, at, title);
	for (unsigned r = 0; r < MEMORY_ROWS && p->memory != PANES_MEMORY_NONE; r++, y += CANVAS_SMALL) {
		char text[24];
		int x;

		snprintf(text, sizeof text, "%012llx", (unsigned long long)(base + r * 16));
		x = canvas_text(c, at.x + PAD, y, text, 16, false, FAINT) + 8;
		for (unsigned i = 0; i < 16; i += word) {
			u64 pa = base + r * 16 + i;

			snprintf(text, sizeof text, "%0*llx", (int)word * 2, (unsigned long long)space_peek(p->t->mem, pa, word));
			x = canvas_text(c, x, y, text, 16, false, pa == (p->memory & ~(word - 1ull)) ? MARK : INK) + 8;
		}
	}
}

/* ---- the walk ---- */

static u64 x86_address(const struct panes *p, const struct x86_cpu *c)
{
	switch (p->target) {
	case TARGET_RSP: return c->seg[SEG_SS].base + c->r[4];
	case TARGET_CR2: return c->cr2;
	default: return c->seg[SEG_CS].base + c->rip;
	}
}

static u32 arm_address(const struct panes *p, const struct arm_cpu *c)
{
	switch (p->target) {
	case TARGET_RSP: return c->s.r[13];
	case TARGET_CR2: return c->s.cp15.far;
	default: return arm_pc(c);
	}
}

static bool look(struct panes *p, struct error *err)
{
	struct walk_spec spec = {.access = p->target == TARGET_RIP ? ACC_EXEC : ACC_READ};

	if (p->t->icp) {
		const struct arm_cpu *c = &p->t->icp->cpu;

		spec.va = arm_address(p, c);
		if (p->world == WORLD_GUEST || (p->world == WORLD_NOW && (arm_cpsr(c) & PSR_MODE) == MODE_USR))
			spec.access |= ACC_USER;
	} else {
		spec.va = x86_address(p, pc_current(p->t->pc));
		spec.world = (enum walk_world)p->world;
	}
	if (!walk_look(&p->shot, p->t, p->t->machine->s.turn_cpu, &spec, err))
		return false;
	walk_view_build(&p->view, &p->shot);
	walk_draw(&p->drawing, &p->view);
	return true;
}

static void draw_shape(struct canvas *c, const struct walk_shape *s, int x, int y)
{
	const struct walk_colours *col = &walk_palette[s->paint];
	bool large = s->size >= 15;

	x += s->x;
	y += s->y;
	switch (s->kind) {
	case SHAPE_RECT:
		canvas_fill(c, x, y, s->w, s->h, col->fill[1]);
		canvas_frame(c, x, y, s->w, s->h, col->line[1]);
		break;
	case SHAPE_LINE: canvas_line(c, x, y, x + s->w, y + s->h, col->line[1]); break;
	case SHAPE_ARROW:
		canvas_line(c, x, y, x + s->w, y + s->h, col->line[1]);
		canvas_fill(c, x + s->w - 2, y + s->h - 2, 5, 5, col->line[1]);
		break;
	case SHAPE_TEXT: canvas_text(c, x, y - (large ? 12 : 7), s->text, sizeof s->text, large, col->fill[1]); break;
	default: break;
	}
}

static void draw_walk(struct panes *p, struct canvas *c, struct place at)
{
	struct error err = {""};
	struct canvas inner = *c;

	canvas_fill(c, at.x, at.y, at.w, at.h, walk_palette[PAINT_PAGE].fill[1]);
	p->has_walk = look(p, &err);
	if (!p->has_walk) {
		canvas_text(c, at.x + 20, at.y + 20, err.msg, 120, true, INK);
		return;
	}
	inner.height = at.y + at.h < c->height ? at.y + at.h : c->height;
	for (unsigned i = 0; i < p->drawing.n; i++)
		draw_shape(&inner, &p->drawing.shape[i], at.x, at.y);
	if (p->memory == PANES_MEMORY_NONE)
		return;
	for (unsigned i = 0; i < p->drawing.n; i++) {
		const struct walk_shape *s = &p->drawing.shape[i];

		if (s->kind == SHAPE_RECT && s->row == (s8)p->row && s->column == (s8)p->column) {
			canvas_frame(&inner, at.x + s->x - 2, at.y + s->y - 2, s->w + 4, s->h + 4, MARK);
			return;
		}
	}
}

/* ---- buttons ---- */

static const char *button_name(const struct panes *p, unsigned b)
{
	static const char *const worlds[][2] = {[WORLD_NOW] = {"now", "now"}, [WORLD_HOST] = {"host", "privileged"}, [WORLD_GUEST] = {"guest", "User"}};
	static const char *const names[BUTTONS][2] = {
		[BUTTON_STEP] = {"Step", "Step"},	 [BUTTON_SWITCH] = {"To switch", "To mode"}, [BUTTON_RIP] = {"Walk rip", "Walk pc"},
		[BUTTON_RSP] = {"Walk rsp", "Walk sp"}, [BUTTON_CR2] = {"Walk cr2", "Walk FAR"}};
	bool arm = p->t->icp;

	if (b == BUTTON_PAUSE)
		return p->paused ? "Run" : "Pause";
	return b == BUTTON_WORLD ? worlds[p->world][arm] : names[b][arm];
}

static void draw_buttons(const struct panes *p, struct canvas *c, int sw, int sh)
{
	canvas_fill(c, 0, sh, left_width(sw), BAR, TITLE);
	for (unsigned b = BUTTON_PAUSE; b < BUTTONS; b++) {
		int x = PAD + (int)(b - 1) * (BUTTON_W + PAD);
		bool on = b == (unsigned)BUTTON_RIP + p->target || (b == BUTTON_PAUSE && p->paused);

		canvas_fill(c, x, sh + 3, BUTTON_W, BAR - 6, on ? ON : PAPER);
		canvas_frame(c, x, sh + 3, BUTTON_W, BAR - 6, BORDER);
		canvas_text(c, x + 8, sh + 8, button_name(p, b), 12, false, INK);
	}
}

/* ---- all ---- */

void panes_draw(struct panes *p, struct canvas *c, int sw, int sh)
{
	canvas_fill(c, sw, 0, left_width(sw) - sw, sh, 0);
	draw_buttons(p, c, sw, sh);
	draw_registers(p, c, registers_place(sw, sh));
	draw_events(p, c, events_place(sw, sh, c->height));
	draw_walk(p, c, walk_place(sw));
	draw_memory(p, c, memory_place(sw));
	if (p->t->icp)
		draw_tlb(p, c, vmcb_place(sw, c->height));
	else
		draw_vmcb(p, c, vmcb_place(sw, c->height));
}

static bool inside(struct place p, int x, int y) { return x >= p.x && y >= p.y && x < p.x + p.w && y < p.y + p.h; }

static void click_walk(struct panes *p, int x, int y)
{
	unsigned row, column;
	const struct walk_cell *cell;

	if (!p->has_walk || !walk_draw_hit(&p->drawing, x, y, &row, &column))
		return;
	cell = walk_view_cell(&p->view, row, column);
	if (!cell->known || cell->state == CELL_REGISTER)
		return;
	p->row = row;
	p->column = column;
	p->memory = cell->pa;
}

enum panes_button panes_click(struct panes *p, int x, int y, int sw, int sh)
{
	struct place bar = {PAD, sh + 3, (BUTTONS - 1) * (BUTTON_W + PAD), BAR - 6}, walk = walk_place(sw);
	enum panes_button b = BUTTON_NONE;

	if (inside(walk, x, y))
		click_walk(p, x - walk.x, y - walk.y);
	else if (inside(bar, x, y) && (x - PAD) % (BUTTON_W + PAD) < BUTTON_W)
		b = (enum panes_button)(BUTTON_PAUSE + (x - PAD) / (BUTTON_W + PAD));
	if (b >= BUTTON_RIP && b <= BUTTON_CR2) {
		p->target = (u8)(b - BUTTON_RIP);
		p->memory = PANES_MEMORY_NONE;
	} else if (b == BUTTON_WORLD) {
		p->world = p->world == WORLD_NOW ? WORLD_HOST : p->world == WORLD_HOST ? WORLD_GUEST : WORLD_NOW;
		p->memory = PANES_MEMORY_NONE;
	}
	return b;
}
