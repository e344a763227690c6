/* Values on the command line: numbers with suffixes, comma-separated lists. See options_part.h. */
#define _GNU_SOURCE 1
#include "ui/options_part.h"

#include <errno.h>
#include <stdlib.h>

/* A number with an optional suffix K, M, G or T; base is 1000 or 1024. */
bool option_number(const char *what, const char *val, u64 base, u64 plain_unit, u64 *out, struct error *err)
{
	static const char suffixes[] = "kmgt";
	char *end;
	u64 unit = plain_unit;
	unsigned long long n;

	errno = 0;
	n = strtoull(val, &end, 0);
	if (*end) {
		const char *s = strchr(suffixes, *end | 0x20);

		unit = 1;
		for (const char *p = suffixes; s && p <= s; p++)
			unit *= base;
		end += s ? 1 : 0;
	}
	if (end == val || *end || errno || *val == '-' || (n && unit > ~0ull / n))
		return error_set(err, "%s %s: expected a number", what, val);
	*out = n * unit;
	return true;
}

/* Cuts the next "key=value" or "key" off a comma-separated list in *list (which is changed). */
char *option_item(char **list, char **val)
{
	char *key = *list, *end;

	if (!key || !*key)
		return NULL;
	end = strchrnul(key, ',');
	*list = *end ? end + 1 : end;
	*end = 0;
	*val = strchr(key, '=');
	if (*val)
		*(*val)++ = 0;
	return key;
}

bool option_list(const char *what, const char *val, char *buf, size_t size, struct error *err)
{
	if (strlen(val) >= size)
		return error_set(err, "%s: longer than %zu characters", what, size - 1);
	strcpy(buf, val);
	return true;
}
