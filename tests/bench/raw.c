/*
 * raw: the floor that the benchmark compares with. Sends the same POST again and again, with
 * libcurl and nothing else: no JSON, no decision, no bookkeeping; the reply is read and forgotten.
 *
 * usage: raw BASE CA-FILE HEADERS BODY COUNT PARALLEL
 *
 * Sends COUNT requests to BASE/machines/ID/restrictCodeExecution, a machine id of its own for each,
 * with the header lines of the file HEADERS and the body of the file BODY. Prints seconds of wall
 * time and of CPU time, after a tenth as many requests to warm up.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <curl/curl.h>

enum { MOST_PARALLEL = 64, LARGEST_BODY = 65536 };

struct load {
  const char *base;
  const char *ca_file;
  struct curl_slist *headers;
  char body[LARGEST_BODY];
  size_t body_size;
  long machine;
};

struct reply {
  char bytes[LARGEST_BODY];
  size_t size;
};

static void fail(const char *what)
{
  fprintf(stderr, "raw: %s\n", what);
  exit(1);
}

static size_t receive(char *data, size_t size, size_t count, void *user)
{
  struct reply *reply = user;
  size_t bytes = size * count;
  if (bytes > sizeof reply->bytes - reply->size) return 0;
  memcpy(reply->bytes + reply->size, data, bytes);
  reply->size += bytes;
  return bytes;
}

static double wall(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static CURL *make_transfer(struct load *load, struct reply *reply)
{
  CURL *transfer = curl_easy_init();
  if (transfer == NULL) fail("no memory");
  curl_easy_setopt(transfer, CURLOPT_CAINFO, load->ca_file);
  curl_easy_setopt(transfer, CURLOPT_HTTPHEADER, load->headers);
  curl_easy_setopt(transfer, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(transfer, CURLOPT_POSTFIELDS, load->body);
  curl_easy_setopt(transfer, CURLOPT_POSTFIELDSIZE, (long)load->body_size);
  curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(transfer, CURLOPT_WRITEDATA, reply);
  curl_easy_setopt(transfer, CURLOPT_PRIVATE, reply);
  curl_easy_setopt(transfer, CURLOPT_NOSIGNAL, 1L);
  return transfer;
}

/* Points a transfer at the next machine. */
static void aim(CURL *transfer, struct load *load, struct reply *reply)
{
  char url[1024];
  snprintf(url, sizeof url, "%s/machines/%040lx/restrictCodeExecution", load->base,
           ++load->machine);
  curl_easy_setopt(transfer, CURLOPT_URL, url);
  reply->size = 0;
}

static void check(CURL *transfer, CURLcode result)
{
  long status = 0;
  if (result != CURLE_OK) fail(curl_easy_strerror(result));
  curl_easy_getinfo(transfer, CURLINFO_RESPONSE_CODE, &status);
  if (status != 201) fail("the status is not 201");
}

static void one_after_another(CURL *transfer, struct load *load, struct reply *reply, long count)
{
  for (long i = 0; i < count; i++) {
    aim(transfer, load, reply);
    check(transfer, curl_easy_perform(transfer));
  }
}

static void several_at_once(CURLM *multi, CURL **transfers, int parallel, struct load *load,
                            struct reply *replies, long count)
{
  long started = 0;
  long finished = 0;
  for (int i = 0; i < parallel && started < count; i++, started++) {
    aim(transfers[i], load, &replies[i]);
    curl_multi_add_handle(multi, transfers[i]);
  }
  while (finished < count) {
    int running = 0;
    int left = 0;
    CURLMsg *message;
    if (curl_multi_perform(multi, &running) != CURLM_OK) fail("curl_multi_perform failed");
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
      CURL *transfer = message->easy_handle;
      struct reply *reply = NULL;
      check(transfer, message->data.result);
      finished++;
      curl_multi_remove_handle(multi, transfer);
      if (started < count) {
        curl_easy_getinfo(transfer, CURLINFO_PRIVATE, (char **)&reply);
        aim(transfer, load, reply);
        curl_multi_add_handle(multi, transfer);
        started++;
        running++;
      }
    }
    if (running > 0 && finished < count) curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
}

static void read_headers(struct load *load, const char *path)
{
  char line[8192];
  FILE *file = fopen(path, "r");
  if (file == NULL) fail("no file of headers");
  while (fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] != '\0') load->headers = curl_slist_append(load->headers, line);
  }
  fclose(file);
}

static void read_body(struct load *load, const char *path)
{
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail("no file with the body");
  load->body_size = fread(load->body, 1, sizeof load->body, file);
  fclose(file);
}

int main(int argc, char **argv)
{
  static struct load load;
  static struct reply replies[MOST_PARALLEL];
  CURL *transfers[MOST_PARALLEL];
  if (argc != 7) fail("usage: raw BASE CA-FILE HEADERS BODY COUNT PARALLEL");
  long count = strtol(argv[5], NULL, 10);
  int parallel = (int)strtol(argv[6], NULL, 10);
  if (count < 1 || parallel < 1 || parallel > MOST_PARALLEL) fail("bad COUNT or PARALLEL");

  curl_global_init(CURL_GLOBAL_DEFAULT);
  load.base = argv[1];
  load.ca_file = argv[2];
  read_headers(&load, argv[3]);
  read_body(&load, argv[4]);
  for (int i = 0; i < parallel; i++)
    transfers[i] = make_transfer(&load, &replies[i]);
  CURLM *multi = curl_multi_init();

  double wall_before = 0;
  double cpu_before = 0;
  for (int warm = 0; warm < 2; warm++) {
    long n = warm ? count : count / 10;
    wall_before = wall();
    cpu_before = cpu();
    if (parallel == 1)
      one_after_another(transfers[0], &load, &replies[0], n);
    else
      several_at_once(multi, transfers, parallel, &load, replies, n);
  }
  printf("%.6f %.6f\n", wall() - wall_before, cpu() - cpu_before);

  for (int i = 0; i < parallel; i++)
    curl_easy_cleanup(transfers[i]);
  curl_multi_cleanup(multi);
  curl_slist_free_all(load.headers);
  curl_global_cleanup();
  return 0;
}
