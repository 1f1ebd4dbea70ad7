// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Files of /proc and /sys.
 */
#include <fcntl.h>
#include <unistd.h>

#include "facts.h"

size_t zcb_text_of(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t n = 1;

	while (fd >= 0 && n > 0 && length < size - 1) {
		n = read(fd, text + length, size - 1 - length);
		length += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		close(fd);
	text[length] = '\0';
	return length;
}
