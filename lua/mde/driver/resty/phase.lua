--- phase: where in nginx a call can wait.
--
-- Waiting is done by giving the worker back to nginx, which not every phase can, and which no phase can from inside a
-- C function that called back into Lua. Both are found out before anything is done: a half-begun operation of nginx's
-- would resume a coroutine that does not wait for it.
local yieldable = require("mde.core").coroutine.is_yieldable

local can_wait = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, preread = true,
  ssl_cert = true, ssl_client_hello = true, ssl_session_fetch = true,
}

local IN_A_TIMER = "call it in a timer: ngx.timer.at(0, function() ... end)"
local IN_A_HANDLER = "call it in rewrite_by_lua, access_by_lua or content_by_lua"

local instead = {
  init = "make the client there, and " .. IN_A_HANDLER .. ", or in a timer of init_worker_by_lua",
  set = IN_A_HANDLER,
  balancer = IN_A_HANDLER,
  exit_worker = "it is too late there",
}

local directive = { ssl_cert = "ssl_certificate", ssl_session_store = "ssl_session_store" }

local M = {}

--- Raises where nothing can wait; says in which phase that was and what to use. It names no place: between here and
-- the client's caller lie the library's own lines.
function M.check()
  local here = ngx.get_phase()
  if not can_wait[here] then
    error(("mde cannot wait in %s_by_lua, where nginx has no sockets; %s")
      :format(directive[here] or here, instead[here] or IN_A_TIMER), 0)
  end
  if yieldable() == false then
    error("mde cannot wait inside a callback of gsub, sort, require or the like, where nginx cannot switch to other "
      .. "work; call it before, and use its result there", 0)
  end
end

--- Whether this is a timer's phase.
---@return boolean
function M.is_timer()
  return ngx.get_phase() == "timer"
end

return M
