/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a fuzz target over every file of some directories, without a fuzzer: what once was found
 * stays found. */
#include <dirent.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../../policy/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay_file(const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat st;
	uint8_t *data;

	if (!file || fstat(fileno(file), &st) < 0) {
		perror(path);
		exit(1);
	}
	data = xcalloc(1, (size_t)st.st_size + 1);
	if (fread(data, 1, (size_t)st.st_size, file) != (size_t)st.st_size) {
		perror(path);
		exit(1);
	}
	fclose(file);
	LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
	free(data);
}

static size_t replay_directory(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	size_t n = 0;

	if (!dir) {
		perror(directory);
		exit(1);
	}
	while ((entry = readdir(dir))) {
		char path[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		replay_file(path);
		n++;
	}
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	size_t n = 0;

	for (int i = 1; i < argc; i++)
		n += replay_directory(argv[i]);
	printf("%s: %zu inputs\n", argv[0], n);
	return n > 0 ? 0 : 1;
}
