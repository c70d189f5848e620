--- cursor_store: a cursor in the client's store, for watches on several machines that take turns.
--
-- One has the lease, and the others wait until it has ended or died. The text in the store begins with the mark of who
-- wrote it last. One that was stopped for so long that another has its turn finds another mark there, and so writes
-- nothing and hands nothing over.

local core = require "mde.core"
local cursor_files = require "mde.watch.cursor_file"
local errors = require "mde.base.error"
local posix = require "mde.posix"

local KEEP_SECONDS = 400 * 24 * 3600
local POLL_SECONDS = 1
local MARK_BYTES = 16

local M = {}

---@class mde.CursorStore: mde.KeptCursor
---@field private store mde.Store
---@field private key string
---@field private lease mde.Lease
---@field private mark string
local CursorStore = {}
CursorStore.__index = CursorStore

-- Waits for its turn; nil without an error: it was stopped.
local function wait_for_turn(store, key, clock, is_stopped)
  while not is_stopped() do
    local lease, err = store:wait_for_lease(key .. "|turn", clock.now() + POLL_SECONDS)
    if lease or err then return lease, err end
  end
end

-- What stands in the store, with our mark in the place of another's from now on; nil without an error: nothing does.
local function take_over(self)
  local done, text = self.store:update(self.key, KEEP_SECONDS, function(text)
    return text and self.mark .. text:sub(MARK_BYTES + 1) or nil, text
  end)
  if not done then return nil, text end
  return text and text:sub(MARK_BYTES + 1) or nil
end

---@param store mde.Store
---@param name string of the cursor in the store
---@param first number since when alerts are handed over, Unix seconds, if nothing is there yet
---@param limits? mde.core.cursor.Limits
---@param clock { now: fun(): number } the driver's
---@param is_stopped fun(): boolean
---@return mde.CursorStore? kept nil without an error: it was stopped before its turn
---@return mde.Error? err
function M.open(store, name, first, limits, clock, is_stopped)
  local key = "watch|" .. name
  local mark = posix.entropy.bytes(MARK_BYTES)
  if not mark then
    return nil, errors.new { kind = "unavailable", code = "no_entropy",
      message = "this machine gives no random bytes, by which watches are told from one another" }
  end
  local lease, err = wait_for_turn(store, key, clock, is_stopped)
  if not lease then return nil, err end
  local self = setmetatable({ store = store, key = key, lease = lease, mark = mark, lost = 0,
    name = ("the store (%s) under %s"):format(store:name(), errors.quote(name)),
    cursor = core.cursor.new(first, limits) }, CursorStore)
  local bytes, problem = take_over(self)
  self.is_fresh = not bytes and not problem
  local done, failure = not problem, problem
  if bytes then
    local used, reason = self.cursor:unpack(bytes)
    -- It is written in one step, so a part of it is nothing that could have been.
    if used ~= #bytes then done, failure = cursor_files.refuse(reason or "damaged", self.name) end
  elseif done then
    done, failure = store:update(key, KEEP_SECONDS, function() return mark .. self.cursor:pack() end)
  end
  if done then return self end
  lease:release()
  return nil, failure
end

--- Writes down what has changed.
---@return true?
---@return mde.Error? err
function CursorStore:keep()
  local bytes = self.cursor:pack()
  local done, problem = self.store:update(self.key, KEEP_SECONDS, function(text)
    if text and text:sub(1, MARK_BYTES) == self.mark then return self.mark .. bytes, nil end
    return nil, text and "another watch has it: this one was stopped for so long that it lost its turn"
      or "it is gone from there"
  end)
  if not done then return nil, problem end
  if not problem then return true end
  return nil, errors.new { kind = "invalid", code = "cursor_in_use",
    message = ("the cursor in %s cannot be written: %s"):format(self.name, problem),
    hint = "Nothing more is handed over. Watch again: it waits for its turn, and goes on from what is in the store." }
end

--- Another watch may have it now.
function CursorStore:close()
  self.lease:release()
end

return M
