// SPDX-License-Identifier: GPL-2.0-only
/* Inodes of pools, and the files their mappings hang from. */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mount.h>

#include "obj_rig.h"

#define MAGIC	0x7a636266

static struct inode *make_inode(struct kunit *test, u64 size)
{
	struct inode *inode = zcb_mapfs_inode(NULL, size);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, inode);
	return inode;
}

static struct file *make_file(struct kunit *test, struct zcb_pool *pool,
			      unsigned int flags)
{
	struct file *file = zcb_mapfs_file(pool, NULL, flags);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	return file;
}

static u32 mappings(struct zcb_pool *pool)
{
	return atomic_read(&pool->mappings);
}

static void an_inode_has_the_pools_size(struct kunit *test)
{
	struct inode *inode = make_inode(test, 34 * OBJ_ARENA);

	KUNIT_EXPECT_EQ(test, i_size_read(inode), 34 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, inode->i_sb->s_magic, MAGIC);
	zcb_mapfs_put(inode);
}

/* What one pool has mapped is not found through another. */
static void inodes_have_a_mapping_each(struct kunit *test)
{
	struct inode *a = make_inode(test, OBJ_ARENA);
	struct inode *b = make_inode(test, OBJ_ARENA);

	KUNIT_EXPECT_PTR_NE(test, a, b);
	KUNIT_EXPECT_PTR_NE(test, a->i_mapping, b->i_mapping);
	KUNIT_EXPECT_PTR_EQ(test, a->i_sb, b->i_sb);
	zcb_mapfs_put(a);
	zcb_mapfs_put(b);
}

/* An inode pins the file system as a session does. */
static void the_last_pin_unmounts(struct kunit *test)
{
	struct obj_rig *rig = test->priv;
	struct inode *inode;

	zcb_mapfs_unpin();	/* the suite's */
	obj_wait_refs(test, rig->refs - 1);
	inode = make_inode(test, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), rig->refs);
	KUNIT_EXPECT_EQ(test, zcb_mapfs_pin(), 0);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), rig->refs);
	zcb_mapfs_put(inode);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), rig->refs);
}

static void a_file_is_on_the_pools_inode(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct file *file = make_file(test, pool, O_RDWR);
	struct file *other = make_file(test, pool, O_RDWR);

	KUNIT_EXPECT_PTR_EQ(test, file_inode(file), pool->inode);
	KUNIT_EXPECT_PTR_EQ(test, file->f_mapping, pool->inode->i_mapping);
	KUNIT_EXPECT_PTR_EQ(test, other->f_mapping, file->f_mapping);
	KUNIT_EXPECT_PTR_NE(test, other, file);
	KUNIT_EXPECT_PTR_EQ(test, file_inode(file)->i_private, pool);
	__fput_sync(file);
	__fput_sync(other);
}

static void a_file_has_the_pools_name(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct file *file = make_file(test, pool, O_RDWR);
	char name[32];

	snprintf(name, sizeof(name), "zcbuf:0x%llx", pool->handle);
	KUNIT_EXPECT_STREQ(test, file->f_path.dentry->d_name.name, name);
	__fput_sync(file);
}

static void a_file_is_as_writable_as_asked(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct file *file = make_file(test, pool, O_RDONLY);

	KUNIT_EXPECT_EQ(test, file->f_mode & (FMODE_READ | FMODE_WRITE),
			FMODE_READ);
	__fput_sync(file);
	file = make_file(test, pool, O_RDWR);
	KUNIT_EXPECT_EQ(test, file->f_mode & (FMODE_READ | FMODE_WRITE),
			FMODE_READ | FMODE_WRITE);
	__fput_sync(file);
}

static void files_are_counted(struct kunit *test)
{
	struct obj_rig *rig = test->priv;
	struct zcb_pool *pool = obj_pool(test);
	struct file *a, *b;

	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), rig->refs + 1);
	a = make_file(test, pool, O_RDWR);
	KUNIT_EXPECT_EQ(test, mappings(pool), 1);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), rig->refs + 2);
	b = make_file(test, pool, O_RDONLY);
	KUNIT_EXPECT_EQ(test, mappings(pool), 2);
	__fput_sync(a);
	KUNIT_EXPECT_EQ(test, mappings(pool), 1);
	__fput_sync(b);
	KUNIT_EXPECT_EQ(test, mappings(pool), 0);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), rig->refs + 1);
}

/* It keeps the pages, whoever else is gone. */
static void a_file_keeps_the_pool(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct file *file = make_file(test, pool, O_RDWR);

	obj_fill(pool, 0, OBJ_ARENA, 0x3c);
	obj_drop_pool(test, pool);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, pool->state, ZCB_POOL_LIVE);
	KUNIT_EXPECT_TRUE(test, obj_is(pool, 0, OBJ_ARENA, 0x3c));
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
	__fput_sync(file);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 0);
}

static void there_is_nothing_to_write_back(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct file *file = make_file(test, pool, O_RDWR);

	KUNIT_EXPECT_EQ(test, vfs_fsync(file, 0), 0);
	__fput_sync(file);
}

static struct kunit_case mapfs_cases[] = {
	KUNIT_CASE(an_inode_has_the_pools_size),
	KUNIT_CASE(inodes_have_a_mapping_each),
	KUNIT_CASE(the_last_pin_unmounts),
	KUNIT_CASE(a_file_is_on_the_pools_inode),
	KUNIT_CASE(a_file_has_the_pools_name),
	KUNIT_CASE(a_file_is_as_writable_as_asked),
	KUNIT_CASE(files_are_counted),
	KUNIT_CASE(a_file_keeps_the_pool),
	KUNIT_CASE(there_is_nothing_to_write_back),
	{}
};

static struct kunit_suite mapfs_suite = {
	.name = "zcb_mapfs",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = mapfs_cases,
};

kunit_test_suite(mapfs_suite);
