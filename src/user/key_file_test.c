/* SPDX-License-Identifier: Apache-2.0 */
#include "user/key_file.c"

#include "unit.h"

TEST(a_key_is_made_once_and_for_its_owner_only)
{
	Str path = str_fmt(a, "%s/deep/user.key", unit_dir()), first, again;
	struct stat st;
	Seal *seal;

	CHECK_OK(key_file_read(a, path, &first));
	CHECK_OK(key_file_read(a, path, &again));
	CHECK_STR(first, again);
	CHECK_OK(seal_new(a, &first, 1, &seal));
	CHECK_INT(stat(path.at, &st), 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	CHECK_INT(st.st_nlink, 1);
}

TEST(a_folder_that_is_not_there_is_told)
{
	Str row;

	CHECK_ERR(key_file_read(a, str_fmt(a, "%s/no/such/user.key", unit_dir()), &row),
	          "user.key_file");
}
