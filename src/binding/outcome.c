/*
 * mde.core.outcome: judge(kind, facts), by the rules of src/core/outcome.h.
 */
#include "compat.h"
#include "outcome.h"
#include "refusal.h"

#include <limits.h>
#include <math.h>

#define FACTS 2

/* A number of the facts, or `unless_told` where it is nil; NAN there means that it must be told. */
static double number_fact(lua_State *L, const char *name, double unless_told)
{
  double number = unless_told;
  if (mde_field(L, FACTS, name)) {
    if (lua_type(L, -1) != LUA_TNUMBER)
      luaL_error(L, "outcome.judge: '%s' must be a number, not %s", name, luaL_typename(L, -1));
    number = lua_tonumber(L, -1);
  }
  lua_pop(L, 1);
  if (isnan(number)) luaL_error(L, "outcome.judge: '%s' must be a number", name);
  return number;
}

static int count_fact(lua_State *L, const char *name, double unless_told, int least)
{
  double number = number_fact(L, name, unless_told);
  if (number < least || number > INT_MAX || number != floor(number))
    luaL_error(L, "outcome.judge: '%s' must be a whole number, at least %d", name, least);
  return (int)number;
}

static bool is_true(lua_State *L, const char *name)
{
  mde_field(L, FACTS, name);
  bool is = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return is;
}

/* Only false says that nothing was sent: what is not known may have been. */
static bool is_false(lua_State *L, const char *name)
{
  mde_field(L, FACTS, name);
  bool is = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
  lua_pop(L, 1);
  return is;
}

static bool is_there(lua_State *L, const char *name)
{
  bool there = mde_field(L, FACTS, name);
  lua_pop(L, 1);
  return there;
}

/* What a driver or the service says, who may say anything; it stays on the stack. */
static struct mde_text text_fact(lua_State *L, const char *name)
{
  struct mde_text text = {NULL, 0};
  mde_field(L, FACTS, name);
  if (lua_type(L, -1) == LUA_TSTRING) text.bytes = lua_tolstring(L, -1, &text.length);
  return text;
}

/*
 * judge(kind, facts) -> verdict, delay, class, spent
 *
 * kind     "read", "token", "identity" or "action"
 * facts    attempt (1: the first), now, deadline (math.huge: none), random in [0, 1);
 *          attempts_allowed (default 4; see outcome.h), authentications (default 0);
 *          status (nil: no response), usable, temporary, said_code and said, the service's code and
 *          message, retry_after (seconds), retry_after_invalid; and without a response maybe_sent,
 *          which is true unless it is false, code, the driver's for the reason, and was_answered
 *          (an earlier attempt)
 * verdict  "done", "refused", "retry", "authenticate", "throttled", "exhausted", "unknown",
 *          "active"
 * delay    seconds to wait before a retry, or until the service wants to be asked again; else 0
 * class    "not_sent", "refused_unprocessed", "unknown", "definite"
 * spent    true where "exhausted" means that the attempts are used up; else nil
 */
static int outcome_judge(lua_State *L)
{
  static const char *const kinds[] = {"read", "token", "identity", "action", NULL};
  static const enum mde_request_kind kind_of[] = {MDE_REQUEST_KIND_READ, MDE_REQUEST_KIND_TOKEN,
                                                  MDE_REQUEST_KIND_IDENTITY,
                                                  MDE_REQUEST_KIND_ACTION};
  struct mde_attempt attempt = {.kind = kind_of[luaL_checkoption(L, 1, NULL, kinds)]};
  luaL_checktype(L, FACTS, LUA_TTABLE);
  attempt.attempt = count_fact(L, "attempt", NAN, 1);
  attempt.attempts_allowed =
      is_there(L, "attempts_allowed") ? count_fact(L, "attempts_allowed", NAN, 1) : 0;
  attempt.authentications = count_fact(L, "authentications", 0, 0);
  attempt.now = number_fact(L, "now", NAN);
  attempt.deadline = number_fact(L, "deadline", NAN);
  attempt.random = number_fact(L, "random", NAN);
  if (attempt.random < 0 || attempt.random >= 1)
    return luaL_error(L, "outcome.judge: 'random' must be in [0, 1)");
  attempt.maybe_sent = !is_false(L, "maybe_sent");
  attempt.code = text_fact(L, "code").bytes;
  attempt.was_answered = is_true(L, "was_answered");
  attempt.answered = is_there(L, "status");
  if (attempt.answered) {
    double status = number_fact(L, "status", 0);
    bool plausible = status >= 0 && status <= 999 && status == floor(status);
    attempt.status = plausible ? (int)status : 0;
  }
  attempt.usable = is_true(L, "usable");
  attempt.temporary = is_true(L, "temporary");
  struct mde_text said_code = text_fact(L, "said_code");
  attempt.active_request = mde_refusal_is_active(said_code, text_fact(L, "said"));
  attempt.retry_after_invalid = is_true(L, "retry_after_invalid");
  attempt.has_retry_after = is_there(L, "retry_after");
  if (attempt.has_retry_after) attempt.retry_after = number_fact(L, "retry_after", 0);
  struct mde_judgement judgement = mde_judge(&attempt);
  lua_pushstring(L, mde_verdict_name(judgement.verdict));
  lua_pushnumber(L, judgement.delay);
  lua_pushstring(L, mde_class_name(judgement.class));
  if (!judgement.spent) return 3;
  lua_pushboolean(L, 1);
  return 4;
}

static const luaL_Reg functions[] = {
    {"judge", outcome_judge},
    {NULL, NULL},
};

void mde_open_outcome(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
  lua_pushnumber(L, MDE_MAX_WAIT_SECONDS);
  lua_setfield(L, -2, "MAX_WAIT_SECONDS");
}
