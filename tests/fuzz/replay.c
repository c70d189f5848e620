/*
 * replay: runs a fuzz target over files, so that the ordinary suite can do it without a fuzzer.
 *
 * Arguments are files, or directories whose files are meant. It fails if there is none.
 */
#define _DEFAULT_SOURCE 1 /* opendir */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "target.h"

static size_t replayed;

static int replay_file(const char *path)
{
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    return -1;
  }
  size_t length = 0;
  size_t capacity = 65536;
  uint8_t *bytes = malloc(capacity);
  while (bytes != NULL) {
    size_t got = fread(bytes + length, 1, capacity - length, file);
    length += got;
    if (got == 0) break;
    if (length < capacity) continue;
    capacity *= 2;
    uint8_t *larger = realloc(bytes, capacity);
    if (larger == NULL) free(bytes);
    bytes = larger;
  }
  int failed = bytes == NULL || ferror(file) != 0;
  fclose(file);
  if (failed) {
    fprintf(stderr, "%s cannot be read\n", path);
    free(bytes);
    return -1;
  }
  /* A block of its own size, so that a sanitizer sees a read behind its end. */
  uint8_t *exact = length == 0 ? bytes : realloc(bytes, length);
  LLVMFuzzerTestOneInput(exact, length);
  free(exact);
  replayed++;
  return 0;
}

static int replay_directory(const char *path)
{
  DIR *directory = opendir(path);
  if (directory == NULL) {
    perror(path);
    return -1;
  }
  int status = 0;
  const struct dirent *entry;
  while (status == 0 && (entry = readdir(directory)) != NULL) {
    char name[4096];
    if (entry->d_name[0] == '.') continue;
    snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
    status = replay_file(name);
  }
  closedir(directory);
  return status;
}

int main(int count, char **arguments)
{
  for (int i = 1; i < count; i++) {
    struct stat about;
    if (stat(arguments[i], &about) != 0) {
      perror(arguments[i]);
      return 1;
    }
    int status =
        S_ISDIR(about.st_mode) ? replay_directory(arguments[i]) : replay_file(arguments[i]);
    if (status != 0) return 1;
  }
  printf("%zu inputs replayed\n", replayed);
  return replayed == 0;
}
