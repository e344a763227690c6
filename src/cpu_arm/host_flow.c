/* Host code that goes on: links between blocks, the jump cache, conditions. Its forms in C are in exec.h and flags.h. */
#include "cpu_arm/host_work.h"

/* ---- going on ---- */

void arm_emit_follow(struct work *w, const struct arm_op *o, unsigned k, u32 dist)
{
	struct host_code *e = &w->code;
	u8 *unlinked, *failed;

	if (!dist) { /* this block again */
		h_alu_mi(e, 3, H_SUB, h_at(H_DI, AT(budget)), w->b->n);
		failed = h_jump_if(e, H_S);
		h_jump_to(e, w->start);
		h_land(failed, e->p);
		h_rip(e, 3, H_LEA, H_SI, w->b);
		h_jump_to(e, (const void *)arm_enter_failed);
		return;
	}
	h_alu_mi(e, 2, H_ADD, h_at(H_DI, AT(pc)), (s32)dist);
	h_rip(e, 3, H_MOV_LOAD, H_AX, &w->b->link[k]);
	h_rr(e, 3, 0x85, H_AX, H_AX);
	unlinked = h_jump_if(e, H_E);
	h_rm(e, 3, 0x63, H_CX, h_at(H_AX, offsetof(struct arm_block, n)));
	h_rm(e, 3, 0x29, H_CX, h_at(H_DI, AT(budget)));
	failed = h_jump_if(e, H_S);
	h_rm(e, 3, H_LEA, H_SI, h_at(H_AX, offsetof(struct arm_block, op)));
	h_rm(e, 2, 0xff, 4, h_at(H_AX, offsetof(struct arm_block, op[0].exec)));
	h_land(unlinked, e->p);
	h_rip(e, 3, H_LEA, H_SI, o);
	h_number(e, H_DX, k);
	h_jump_to(e, (const void *)arm_link);
	h_land(failed, e->p);
	h_rip(e, 3, H_LEA, H_SI, o);
	h_number(e, H_DX, k);
	h_jump_to(e, (const void *)arm_link_failed);
}

void arm_emit_indirect(struct work *w, bool exchange)
{
	struct host_code *e = &w->code;
	bool thumb = w->b->mode & ARM_MODE_THUMB;
	u8 *other = NULL, *miss, *miss2, *failed;
	const s32 jump = AT(jump);

	if (exchange) {
		h_8(e, 0xf6), h_8(e, 0xc1), h_8(e, 1); /* test cl, 1 */
		other = h_jump_if(e, thumb ? H_E : H_NE);
	}
	h_alu_ri(e, 2, H_AND, H_CX, (s32)(thumb ? ~1u : ~3u));
	h_rr(e, 2, H_MOV_LOAD, H_AX, H_CX);
	h_shift(e, 2, H_SHR, H_AX, 1);
	h_rr(e, 2, H_MOV_LOAD, H_DX, H_CX);
	h_shift(e, 2, H_SHR, H_DX, ARM_JUMP_BITS);
	h_rr(e, 2, h_alu_load(H_XOR), H_AX, H_DX);
	h_alu_ri(e, 2, H_AND, H_AX, (s32)((1u << ARM_JUMP_BITS) - 1));
	h_shift(e, 2, H_SHL, H_AX, 5);
	_Static_assert(sizeof(struct arm_jump_entry) == 1 << 5, "the shift above");
	h_rm(e, 3, h_alu_load(H_CMP), H_CX, indexed(H_AX, jump + (s32)offsetof(struct arm_jump_entry, va)));
	miss = h_jump_if(e, H_NE);
	h_rm(e, 3, H_MOV_LOAD, H_DX, indexed(H_AX, jump + (s32)offsetof(struct arm_jump_entry, key)));
	h_rm(e, 3, h_alu_load(H_CMP), H_DX, h_at(H_DI, AT(jump_key)));
	miss2 = h_jump_if(e, H_NE);
	h_rm(e, 2, H_MOV_STORE, H_CX, h_at(H_DI, AT(pc)));
	h_rm(e, 3, H_MOV_LOAD, H_AX, indexed(H_AX, jump + (s32)offsetof(struct arm_jump_entry, block)));
	h_rm(e, 3, 0x63, H_CX, h_at(H_AX, offsetof(struct arm_block, n)));
	h_rm(e, 3, 0x29, H_CX, h_at(H_DI, AT(budget)));
	failed = h_jump_if(e, H_S);
	h_rm(e, 3, H_LEA, H_SI, h_at(H_AX, offsetof(struct arm_block, op)));
	h_rm(e, 2, 0xff, 4, h_at(H_AX, offsetof(struct arm_block, op[0].exec)));
	h_land(failed, e->p);
	h_rr(e, 3, H_MOV_LOAD, H_SI, H_AX);
	h_jump_to(e, (const void *)arm_enter_failed);
	h_land(miss, e->p);
	h_land(miss2, e->p);
	h_rr(e, 2, H_MOV_LOAD, H_SI, H_CX);
	h_jump_to(e, (const void *)arm_jump_miss);
	if (other) {
		h_land(other, e->p);
		h_rr(e, 2, H_MOV_LOAD, H_SI, H_CX);
		h_jump_to(e, (const void *)arm_exchange);
	}
}

/* ---- conditions: jumps that are taken when cc does not hold ---- */

/* The host's condition for cc after a subtraction, or -1. */
static int direct_condition(enum host_flags hf, unsigned cc)
{
	static const s8 sub[14] = {H_E, H_NE, H_AE, H_B, H_S, H_NS, H_O, H_NO, H_A, H_BE, H_GE, H_L, H_G, H_LE};

	switch (hf) {
	case HF_SUB: return sub[cc];
	case HF_ADD: return cc == 2 ? H_B : cc == 3 ? H_AE : cc == 8 || cc == 9 ? -1 : sub[cc];
	case HF_LOGIC: return cc < 2 || cc == 4 || cc == 5 ? sub[cc] : -1;
	default: return -1;
	}
}

static void add_jump(struct work *w, struct jumps *j, unsigned cc) { j->at[j->n++] = h_jump_if(&w->code, cc); }

/* N is bit 31 of eax. */
static void load_n(struct work *w)
{
	h_rm(&w->code, 2, H_MOV_LOAD, H_AX, h_at(H_DI, AT(nz)));
	h_rm(&w->code, 2, h_alu_load(H_OR), H_AX, h_at(H_DI, AT(nz) + 4));
}

/* N compared with V: the flags are those of an equality. */
static void compare_n_v(struct work *w)
{
	load_n(w);
	h_shift(&w->code, 2, H_SHR, H_AX, 31);
	h_rm(&w->code, 2, 0x3a, H_AX, h_at(H_DI, AT(fv))); /* cmp al, fv */
}

void arm_emit_unless(struct work *w, unsigned cc, struct jumps *j, u8 **over)
{
	int host = direct_condition(w->hf, cc);

	*over = NULL;
	if (host >= 0) {
		add_jump(w, j, (unsigned)host ^ 1);
		return;
	}
	w->hf = HF_NONE;
	switch (cc) {
	case 0:
	case 1:
		h_alu_mi(&w->code, 2, H_CMP, h_at(H_DI, AT(nz)), 0);
		add_jump(w, j, cc ? H_E : H_NE);
		break;
	case 2:
	case 3:
		h_alu_mi(&w->code, 0, H_CMP, h_at(H_DI, AT(fc)), 0);
		add_jump(w, j, cc & 1 ? H_NE : H_E);
		break;
	case 4:
	case 5:
		load_n(w);
		add_jump(w, j, cc & 1 ? H_S : H_NS);
		break;
	case 6:
	case 7:
		h_alu_mi(&w->code, 0, H_CMP, h_at(H_DI, AT(fv)), 0);
		add_jump(w, j, cc & 1 ? H_NE : H_E);
		break;
	case 8: /* HI: C and not Z */
		h_alu_mi(&w->code, 0, H_CMP, h_at(H_DI, AT(fc)), 0);
		add_jump(w, j, H_E);
		h_alu_mi(&w->code, 2, H_CMP, h_at(H_DI, AT(nz)), 0);
		add_jump(w, j, H_E);
		break;
	case 9:
		h_alu_mi(&w->code, 0, H_CMP, h_at(H_DI, AT(fc)), 0);
		*over = h_jump_if(&w->code, H_E);
		h_alu_mi(&w->code, 2, H_CMP, h_at(H_DI, AT(nz)), 0);
		add_jump(w, j, H_NE);
		break;
	case 10:
	case 11:
		compare_n_v(w);
		add_jump(w, j, cc & 1 ? H_E : H_NE);
		break;
	case 12:
		h_alu_mi(&w->code, 2, H_CMP, h_at(H_DI, AT(nz)), 0);
		add_jump(w, j, H_E);
		compare_n_v(w);
		add_jump(w, j, H_NE);
		break;
	default:
		h_alu_mi(&w->code, 2, H_CMP, h_at(H_DI, AT(nz)), 0);
		*over = h_jump_if(&w->code, H_E);
		compare_n_v(w);
		add_jump(w, j, H_E);
	}
	if (*over)
		h_land(*over, w->code.p);
}

void arm_emit_land(struct work *w, const struct jumps *j)
{
	for (unsigned i = 0; i < j->n; i++)
		h_land(j->at[i], w->code.p);
}
