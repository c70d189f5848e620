-- Journals of runs in a temporary directory, and what fills them.

local journal = require "mde.journal"
local shell = require "tests.spec.support.process.shell"

local journals = {}

journals.DIGEST = ("\0\1\254\255"):rep(8)

--- Machine ids: 1, 2 ... as 40 hex digits.
---@param n integer
---@return string
function journals.device_id(n)
  return ("%040x"):format(n)
end

--- What `changes` says, and the rest as any run has it.
---@param changes table?
---@return mde.journal.run
function journals.run(changes)
  local fields = { id = "20261130T025804Z-7f3a", verb = "run", tenant = "corp.example", client = "made up",
    base_url = "https://api.example", playbook = "contain.lua", text = "print(1)", digest = journals.DIGEST,
    arguments = "[]", settings = "{}", made = 1795921084.25 }
  for key, value in pairs(changes or {}) do fields[key] = value end
  return fields
end

--- A step that is about to be sent, as `sending` takes it.
---@param changes table?
---@return mde.journal.sending
function journals.step(changes)
  local fields = { session = 1, device = journals.device_id(1), verb = "restrict", incident = "INC-4711",
    operation = "k3v7q2m4", comment = "beacon to known C2", arguments = "{}", at = 1795921090.5 }
  for key, value in pairs(changes or {}) do fields[key] = value end
  return fields
end

--- A journal with a session and machines, of which nothing was sent.
---@param path string
---@param devices integer? default 1
---@return mde.journal.file
function journals.begun(path, devices)
  local file = assert(journal.create(path, journals.run()))
  assert(file:begin())
  assert(file:begin_session { began = 1795921085, host = "soc1", pid = 4711, mde = "0.1.0", digest = journals.DIGEST })
  for n = 1, devices or 1 do assert(file:device { id = journals.device_id(n), name = "laptop-" .. n }) end
  assert(file:commit())
  return file
end

--- What an iterator gives, as a list.
function journals.list(iterator, ...)
  assert(iterator, ...)
  local rows = {}
  for row in iterator do rows[#rows + 1] = row end
  return rows
end

--- What the journal says when it is opened by another process with the command sqlite3.
---@param path string
---@param text string SQL
---@return string
function journals.by_sqlite(path, text)
  return shell.output_of(("sqlite3 %s %s 2>&1"):format(shell.quote(path), shell.quote(text)))
end

--- Writes other bytes into a file, from `place` (0 is the first).
---@param path string
---@param place integer
---@param bytes string
function journals.overwrite(path, place, bytes)
  local file = assert(io.open(path, "r+b"))
  file:seek("set", place)
  file:write(bytes)
  file:close()
end

return journals
