// SPDX-License-Identifier: GPL-2.0-only
/* The bugs by name. */
#define pr_fmt(fmt) "zcbuf_planted: " fmt

#include <linux/array_size.h>
#include <linux/errno.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "bugs.h"

static const struct {
	const char *name;
	void (*plant)(void);
} bugs[] = {
#define PLANTED_ENTRY(name) { #name, plant_##name },
	PLANTED_BUGS(PLANTED_ENTRY)
};

/* Nothing is wrong: for showing that the rest of a run is not either. */
void plant_none(void)
{
}

/*
 * What the kernel says from this line to the next of its kind is about this bug.
 * It is a warning to reach the console of a kernel that is told to be quiet.
 */
int planted_plant(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (!sysfs_streq(name, bugs[i].name))
			continue;
		pr_warn("here comes %s\n", bugs[i].name);
		bugs[i].plant();
		return 0;
	}
	return -EINVAL;
}
