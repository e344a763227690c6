/* Options about firmware: which, what it boots, and where its messages go. See options_part.h. */
#include "ui/options_part.h"

#include <stdio.h>

bool option_bios(struct options *o, const char *val, struct error *err)
{
	(void)err;
	o->firmware.file = val;
	return true;
}

static bool boot_letters(const char *val, char *to, size_t size, const char **field, struct error *err)
{
	if (!*val || strlen(val) >= size || strspn(val, "acdn") != strlen(val))
		return error_set(err, "-boot %s: expected up to %zu letters of a, c, d, n", val, size - 1);
	*field = strcpy(to, val);
	return true;
}

bool option_boot(struct options *o, const char *val, struct error *err)
{
	char buf[128], *list = buf, *key, *v;
	struct firmware_options *f = &o->firmware;
	u64 ms;

	if (!option_list("-boot", val, buf, sizeof buf, err))
		return false;
	while ((key = option_item(&list, &v))) {
		bool ok, plain = !v;

		v = v ? v : key;
		if (plain || !strcmp(key, "order"))
			ok = boot_letters(v, o->boot_order, sizeof o->boot_order, &f->order, err);
		else if (!strcmp(key, "once"))
			ok = boot_letters(v, o->boot_once, sizeof o->boot_once, &f->once, err);
		else if (!strcmp(key, "menu") && (!strcmp(v, "on") || !strcmp(v, "off")))
			ok = (f->menu = !strcmp(v, "on"), true);
		else if (!strcmp(key, "splash-time"))
			ok = option_number("-boot splash-time", v, 1000, 1, &ms, err) &&
			     (ms <= 0xffff || error_set(err, "-boot splash-time=%s: expected at most 65535 ms", v)) &&
			     (f->menu_wait = (u16)ms, f->has_menu_wait = true);
		else
			ok = error_set(err, "-boot: '%s=%s' is not supported (expected order, once, menu, splash-time)",
				       key, v);
		if (!ok)
			return false;
	}
	return true;
}

/* ---- its messages ---- */

/* KIND,id=ID[,path=PATH] as QEMU has it becomes a named stream. */
bool option_chardev(struct options *o, const char *val, struct error *err)
{
	char buf[256], *list = buf, *key, *v, *kind;
	const char *id = NULL, *path = NULL;
	struct option_chardev *c = &o->chardev[o->chardevs];

	if (o->chardevs == ARRAY_SIZE(o->chardev))
		return error_set(err, "-chardev: at most %zu", ARRAY_SIZE(o->chardev));
	if (!option_list("-chardev", val, buf, sizeof buf, err))
		return false;
	kind = option_item(&list, &v);
	while ((key = option_item(&list, &v))) {
		if (v && !strcmp(key, "id"))
			id = v;
		else if (v && !strcmp(key, "path"))
			path = v;
		else
			return error_set(err, "-chardev: '%s' is not supported (expected id=, path=)", key);
	}
	if (!kind || !id || strlen(id) >= sizeof c->id || !strcmp(kind, "file") != !!path)
		return error_set(err, "-chardev %s: expected stdio, null, pty or file, id=ID, and path=PATH for a file",
				 val);
	strcpy(c->id, id);
	snprintf(c->stream, sizeof c->stream, "%s%s%s", kind, path ? ":" : "", path ? path : "");
	o->chardevs++;
	return true;
}

static bool port(struct options *o, const char *what, const char *val, struct error *err)
{
	u64 n;

	if (!val || !option_number(what, val, 1024, 1, &n, err))
		return val ? false : error_set(err, "%s: expected a port", what);
	if (n > 0xffff)
		return error_set(err, "%s: expected a port below 0x10000", what);
	o->pc.debugcon_port = (u16)n;
	return true;
}

bool option_debugcon_device(struct options *o, char *list, struct error *err)
{
	char *key, *v;

	while ((key = option_item(&list, &v))) {
		if (!strcmp(key, "iobase")) {
			if (!port(o, "-device isa-debugcon,iobase", v, err))
				return false;
		} else if (v && !strcmp(key, "chardev") && strlen(v) < sizeof o->debugcon_chardev) {
			strcpy(o->debugcon_chardev, v);
		} else {
			return error_set(err, "-device isa-debugcon: '%s' is not known (expected iobase=, chardev=)",
					 key);
		}
	}
	return *o->debugcon_chardev || error_set(err, "-device isa-debugcon: expected chardev=ID");
}

bool option_global(struct options *o, const char *val, struct error *err)
{
	static const char known[] = "isa-debugcon.iobase=";

	if (strncmp(val, known, sizeof known - 1))
		return error_set(err, "-global %s: not supported (expected %sPORT)", val, known);
	return port(o, "-global isa-debugcon.iobase", val + sizeof known - 1, err);
}

bool option_debugcon_resolve(struct options *o, struct error *err)
{
	if (!*o->debugcon_chardev)
		return true;
	for (unsigned i = 0; i < o->chardevs; i++)
		if (!strcmp(o->chardev[i].id, o->debugcon_chardev)) {
			o->debugcon = o->chardev[i].stream;
			return true;
		}
	return error_set(err, "-device isa-debugcon: there is no -chardev with id=%s", o->debugcon_chardev);
}
