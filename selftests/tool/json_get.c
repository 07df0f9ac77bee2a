// SPDX-License-Identifier: GPL-2.0-only
/*
 * json_get [PATH ...]: reads JSON, one document a line. Prints what is at each
 * PATH (vms/0/exits/2/count/value) of each document, or the number of its
 * members where it has some; fails where a line is not strictly JSON, or a PATH
 * does not exist.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>

static struct json_object *parse(const char *line, size_t len)
{
	struct json_tokener *t = json_tokener_new_ex(64);
	struct json_object *j;

	json_tokener_set_flags(t, JSON_TOKENER_STRICT |
				  JSON_TOKENER_VALIDATE_UTF8);
	j = json_tokener_parse_ex(t, line, (int)len);
	if (json_tokener_get_error(t) != json_tokener_success ||
	    json_tokener_get_parse_end(t) != len) {
		fprintf(stderr, "not JSON: %s\n",
			json_tokener_error_desc(json_tokener_get_error(t)));
		exit(1);
	}
	json_tokener_free(t);
	return j;
}

static struct json_object *member(struct json_object *j, const char *key)
{
	struct json_object *m = NULL;

	if (json_object_is_type(j, json_type_array))
		return json_object_array_get_idx(j, strtoul(key, NULL, 10));
	json_object_object_get_ex(j, key, &m);
	return m;
}

static void print(struct json_object *j, const char *path)
{
	char *copy = strdup(path), *rest = copy, *key;

	while ((key = strsep(&rest, "/"))) {
		j = member(j, key);
		if (!j) {
			fprintf(stderr, "no %s in it\n", path);
			exit(1);
		}
	}
	if (json_object_is_type(j, json_type_array))
		printf("%zu\n", json_object_array_length(j));
	else if (json_object_is_type(j, json_type_object))
		printf("%d\n", json_object_object_length(j));
	else
		printf("%s\n", json_object_get_string(j));
	free(copy);
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int i, nr = 0;

	while ((len = getline(&line, &room, stdin)) > 0) {
		struct json_object *j;

		if (line[len - 1] == '\n')
			line[--len] = '\0';
		j = parse(line, (size_t)len);
		for (i = 1; i < argc; i++)
			print(j, argv[i]);
		json_object_put(j);
		nr++;
	}
	free(line);
	return nr ? 0 : 1;
}
