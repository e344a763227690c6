/* See cover.h. */
#include "base/cover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

u8 *cover_map;

bool cover_open(const char *file, struct error *e)
{
	const size_t size = COVER_TABLES * COVER_ROWS;
	void *map = MAP_FAILED;
	int fd;

	if (!file || cover_map)
		return true;
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd >= 0 && !ftruncate(fd, (off_t)size))
		map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		error_set(e, "%s: cannot be used to count rows: %s", file, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (map == MAP_FAILED)
		return false;
	cover_map = map;
	return true;
}

bool cover_from_environment(struct error *e) { return cover_open(getenv("UNDERVISOR_COVER"), e); }
