/*
 * mde.core.device_list: which devices a file names (src/core/device_list.h).
 */
#include "text_value.h"

#include "device_list.h"

#define LIST "mde.core.device_list.Reader"

static struct mde_text optional_text(lua_State *L, int index)
{
  struct mde_text text = {NULL, 0};
  return lua_isnoneornil(L, index) ? text : mde_check_text(L, index);
}

/* is_heading(text) -> whether it can stand above a column */
static int device_list_is_heading(lua_State *L)
{
  lua_pushboolean(L, mde_device_list_is_heading(mde_check_text(L, 1)));
  return 1;
}

/* new([column]) -> a reader; `column` is a heading or a number from 1 */
static int device_list_new(lua_State *L)
{
  struct mde_text heading = {NULL, 0};
  lua_Integer number = 0;
  if (lua_type(L, 1) == LUA_TNUMBER) {
    number = luaL_checkinteger(L, 1);
    luaL_argcheck(L, number >= 1 && number <= MDE_DEVICE_LIST_MAX_COLUMNS, 1,
                  "no number of a column");
  } else if (!lua_isnoneornil(L, 1)) {
    heading = mde_check_text(L, 1);
    luaL_argcheck(L, mde_device_list_is_heading(heading), 1, "no heading of a column");
  }
  struct mde_device_list *list = mde_newuserdata(L, sizeof *list);
  mde_device_list_init(list, heading, (size_t)number);
  luaL_getmetatable(L, LIST);
  lua_setmetatable(L, -2);
  return 1;
}

static void set_integer(lua_State *L, const char *name, size_t value)
{
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

static void push_identifier(lua_State *L, const struct mde_identifier *identifier)
{
  lua_createtable(L, 0, 3);
  lua_pushlstring(L, identifier->text, identifier->length);
  lua_setfield(L, -2, "text");
  lua_pushstring(L, identifier->reason);
  lua_setfield(L, -2, "reason");
  set_integer(L, "column", identifier->column + 1);
}

/* Pushes { line, proof | nil, identifier, ..., passed_over = { { text, reason, column }, ... } |
 * nil }.
 */
static void push_entry(lua_State *L, const struct mde_device_list *list)
{
  lua_createtable(L, (int)list->identifier_count, 2);
  set_integer(L, "line", list->line);
  if (list->proof != MDE_DEVICE_LIST_PROOF_NONE) set_integer(L, "proof", (size_t)list->proof);
  for (size_t i = 0; i < list->identifier_count; i++) {
    const struct mde_identifier *identifier = &list->identifiers[i];
    lua_pushlstring(L, identifier->text, identifier->length);
    lua_rawseti(L, -2, (int)i + 1);
  }
  if (list->passed_over == 0) return;
  lua_createtable(L, (int)list->passed_over, 0);
  for (size_t i = 0; i < list->passed_over; i++) {
    push_identifier(L, &list->identifiers[list->identifier_count + i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_setfield(L, -2, "passed_over");
}

static void push_heading(lua_State *L, const struct mde_device_column *column)
{
  lua_pushlstring(L, column->heading, column->length);
}

/* Pushes { line, flaw = { text, reason, column }, instead = heading | nil }. */
static void push_flaw(lua_State *L, const struct mde_device_list *list)
{
  lua_createtable(L, 0, 3);
  set_integer(L, "line", list->line);
  push_identifier(L, &list->identifiers[0]);
  lua_setfield(L, -2, "flaw");
  if (list->instead == 0) return;
  push_heading(L, &list->columns[list->instead - 1]);
  lua_setfield(L, -2, "instead");
}

/* Pushes { about, problem, line, column | nil }. */
static void push_problem(lua_State *L, const struct mde_device_list_problem *problem)
{
  static const char *const names[] = {
      [MDE_DEVICE_LIST_TROUBLE_FRAMING] = "framing",
      [MDE_DEVICE_LIST_TROUBLE_COLUMN] = "column",
      [MDE_DEVICE_LIST_TROUBLE_RECORD] = "record",
  };
  lua_createtable(L, 0, 5);
  lua_pushstring(L, names[problem->trouble]);
  lua_setfield(L, -2, "about");
  lua_pushstring(L, problem->text);
  lua_setfield(L, -2, "problem");
  set_integer(L, "line", problem->line);
  if (problem->column > 0) set_integer(L, "column", problem->column);
}

/* Pushes { about, problem, line, column | nil, candidates = { { number, heading }, ... } | nil }.
 */
static void push_trouble(lua_State *L, const struct mde_device_list *list)
{
  push_problem(L, &list->problem);
  if (list->problem.trouble != MDE_DEVICE_LIST_TROUBLE_COLUMN) return;
  lua_newtable(L);
  for (size_t i = 0, count = 0; i < list->column_count; i++) {
    if (!list->columns[i].is_candidate) continue;
    lua_createtable(L, 0, 2);
    set_integer(L, "number", i + 1);
    push_heading(L, &list->columns[i]);
    lua_setfield(L, -2, "heading");
    lua_rawseti(L, -2, (int)++count);
  }
  lua_setfield(L, -2, "candidates");
}

/* Pushes { line, odd = { about, problem, line, column | nil, to_end, text } }. */
static void push_odd(lua_State *L, const struct mde_device_list *list)
{
  const struct mde_identifier *first = &list->identifiers[0];
  lua_createtable(L, 0, 2);
  set_integer(L, "line", list->line);
  push_problem(L, &list->problem);
  lua_pushboolean(L, list->problem.to_end);
  lua_setfield(L, -2, "to_end");
  lua_pushlstring(L, first->text, list->identifier_count > 0 ? first->length : 0);
  lua_setfield(L, -2, "text");
  lua_setfield(L, -2, "odd");
}

/*
 * list:feed([bytes]) -> what the records say, in their order, and why the list is refused or nil.
 * Without bytes the file is at its end.
 */
static int list_feed(lua_State *L)
{
  struct mde_device_list *list = luaL_checkudata(L, 1, LIST);
  struct mde_text input = optional_text(L, 2);
  int count = 0;
  lua_newtable(L);
  for (;;) {
    switch (mde_device_list_next(list, &input)) {
    case MDE_DEVICE_LIST_EVENT_ENTRY:
      push_entry(L, list);
      break;
    case MDE_DEVICE_LIST_EVENT_FLAW:
      push_flaw(L, list);
      break;
    case MDE_DEVICE_LIST_EVENT_ODD:
      push_odd(L, list);
      break;
    case MDE_DEVICE_LIST_EVENT_BAD:
      push_trouble(L, list);
      return 2;
    case MDE_DEVICE_LIST_EVENT_MORE:
    case MDE_DEVICE_LIST_EVENT_END:
      return 1;
    }
    lua_rawseti(L, -2, ++count);
  }
}

/* list:doubt() -> the line of the first record that casts doubt on the others, or nil */
static int list_doubt(lua_State *L)
{
  const struct mde_device_list *list = luaL_checkudata(L, 1, LIST);
  if (list->doubt.line == 0) return 0;
  lua_pushinteger(L, (lua_Integer)list->doubt.line);
  return 1;
}

/* list:counts([proof]) -> at the end: whether entries with that proof count */
static int list_counts(lua_State *L)
{
  const struct mde_device_list *list = luaL_checkudata(L, 1, LIST);
  lua_Integer proof = luaL_optinteger(L, 2, MDE_DEVICE_LIST_PROOF_NONE);
  luaL_argcheck(L, proof >= 0 && proof < MDE_DEVICE_LIST_PROOFS, 2, "no proof");
  lua_pushboolean(L, mde_device_list_counts(list, (enum mde_device_list_proof)proof));
  return 1;
}

/*
 * list:columns() -> the number of the column that names the devices, the headings of those that
 * name them or nil, in the order of the columns as { number, heading } | nil before the first
 * record
 */
static int list_columns(lua_State *L)
{
  const struct mde_device_list *list = luaL_checkudata(L, 1, LIST);
  if (!list->has_record) return 0;
  lua_pushinteger(L, (lua_Integer)list->naming + 1);
  if (!list->has_heading) return 1;
  lua_newtable(L);
  for (size_t i = 0, count = 0; i < list->column_count; i++) {
    if (list->columns[i].role == MDE_COLUMN_ROLE_OTHER) continue;
    lua_createtable(L, 0, 2);
    set_integer(L, "number", i + 1);
    push_heading(L, &list->columns[i]);
    lua_setfield(L, -2, "heading");
    lua_rawseti(L, -2, (int)++count);
  }
  return 2;
}

/* list:left_out() -> how many comments, how many notes, the lines of the first comments */
static int list_left_out(lua_State *L)
{
  const struct mde_device_list *list = luaL_checkudata(L, 1, LIST);
  lua_pushinteger(L, (lua_Integer)list->csv.comments);
  lua_pushinteger(L, (lua_Integer)list->csv.notes);
  lua_newtable(L);
  for (size_t i = 0; i < list->csv.comments && i < MDE_CSV_MAX_COMMENT_LINES; i++) {
    lua_pushinteger(L, (lua_Integer)list->csv.comment_lines[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 3;
}

/* list:spans() -> the first cells of several lines as { line, lines }, and how many there are */
static int list_spans(lua_State *L)
{
  const struct mde_device_list *list = luaL_checkudata(L, 1, LIST);
  lua_newtable(L);
  for (size_t i = 0; i < list->span_count && i < MDE_DEVICE_LIST_MAX_SPANS; i++) {
    lua_createtable(L, 0, 2);
    set_integer(L, "line", list->spans[i].line);
    set_integer(L, "lines", list->spans[i].lines);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_pushinteger(L, (lua_Integer)list->span_count);
  return 2;
}

static const luaL_Reg functions[] = {
    {"is_heading", device_list_is_heading},
    {"new", device_list_new},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"feed", list_feed},
    {"doubt", list_doubt},
    {"counts", list_counts},
    {"columns", list_columns},
    {"left_out", list_left_out},
    {"spans", list_spans},
    {NULL, NULL},
};

static const luaL_Reg no_metamethods[] = {{NULL, NULL}};

void mde_open_device_list(lua_State *L)
{
  mde_metatable(L, LIST, methods, no_metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
