/*
 * kql: any bytes as a string in a query, in a list, as a query and as a parameter's name.
 */
#include "kql.h"
#include "target.h"

/* A string's literal is one token: nothing in it ends it, or its line, but its last byte. */
static void write_string(struct mde_text text)
{
  struct mde_kql_value value = {.type = MDE_KQL_TYPE_STRING, .text = text};
  if (mde_kql_flaw(&value) != MDE_KQL_FLAW_NONE) return;
  size_t length = mde_kql_literal(&value, NULL, 0);
  char *literal = malloc(length + 1);
  require(literal != NULL);
  require(mde_kql_literal(&value, literal, length) == length);
  require(length >= 2 && literal[0] == '"' && literal[length - 1] == '"');
  for (size_t i = 1; i < length - 1; i++) {
    require((unsigned char)literal[i] >= 0x20 && literal[i] != 0x7f && literal[i] != '"');
    if (literal[i] != '\\') continue;
    i++;
    require(i < length - 1 && strchr("\\\"nrtu", literal[i]) != NULL);
  }
  /* Read as a query it has no name; what follows it does. */
  literal[length] = 'x';
  static const struct mde_text x = {"x", 1};
  require(mde_kql_use((struct mde_text){literal, length}, x) == MDE_KQL_USE_NONE);
  require(mde_kql_use((struct mde_text){literal, length + 1}, x) == MDE_KQL_USE_READ);
  const char *at = literal;
  struct mde_text name;
  require(mde_kql_next_name(&at, literal + length, &name) == MDE_KQL_USE_NONE);
  struct mde_kql_values values = {.list = &value, .count = 1};
  require(mde_kql_list(&values, NULL, 0) == length + strlen("dynamic([])"));
  free(literal);
}

/* Each name of a query lies within it, behind the one before. */
static void read_query(struct mde_text query)
{
  const char *at = query.bytes;
  const char *end = query.bytes + query.length;
  const char *behind = at;
  struct mde_text name;
  while (mde_kql_next_name(&at, end, &name) != MDE_KQL_USE_NONE) {
    require(name.length > 0 && name.bytes >= behind && name.bytes + name.length <= end);
    behind = name.bytes + name.length;
    if (mde_kql_name_flaw(name) == MDE_KQL_NAME_FLAW_NONE)
      require(name.bytes[0] >= 'a' && name.bytes[0] <= 'z');
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  struct mde_text text = {.bytes = (const char *)bytes, .length = length};
  if (length == 0) text.bytes = "";
  struct mde_kql_value guid = {.type = MDE_KQL_TYPE_GUID, .text = text};
  require(mde_kql_flaw(&guid) != MDE_KQL_FLAW_NONE || length == 36);
  write_string(text);
  read_query(text);
  mde_kql_name_flaw(text);
  return 0;
}
