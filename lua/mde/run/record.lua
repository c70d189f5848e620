--- record: the SQLite file of a run (mde.journal), with the lock beside it that one session at a time has.

local clients = require "mde.client"
local core = require "mde.core"
local endings = require "mde.run.ending"
local errors = require "mde.base.error"
local json = require "mde.base.json"
local places = require "mde.run.place"
local plans = require "mde.run.plan"
local playbooks = require "mde.run.playbook"
local posix = require "mde.posix"
local responses = require "mde.action.response"
local shell_word = require "mde.base.shell_word"
local stops = require "mde.run.stop"
local variables = require "mde.base.environment"

-- What a run writes of each device beside what the plan says of it, and at least.
local RESERVED_BYTES, RESERVED_BYTES_OF_DEVICE = 256 * 1024, 2048
local PARALLEL = 8
-- So long a record is waited for that is only looked at.
local READ_SECONDS = 1

local M = {}

---@class mde.RunRecord
---@field path string
---@field journal table mde.journal's
---@field lock mde.locked_file
---@field id string of the run
---@field session? integer
---@field host? string on which the session works
---@field is_new? boolean it was made by this process

--- The module that keeps records.
---@return table? journal mde.journal
---@return mde.Error? err
function M.journals()
  local ok, journal = pcall(require, "mde.journal")
  if ok then return journal end
  return nil, errors.new { kind = "invalid", code = "journal_not_built",
    message = "this build of mde has no mde.journal, in which a run is recorded",
    hint = "Install SQLite with its headers (libsqlite3-dev), and mde again." }
end

local hints = {
  network = "Put the record on a local disk: --journal FILE.",
  no_space = "Make room, or name a file on another disk: --journal FILE.",
  full = "Make room, or name a file on another disk: --journal FILE.",
  exists = "Name another file; to go on with a run: mde resume.",
  newer = "Use the version of mde that wrote it, or a newer one.",
  not_a_journal = "Give the id of a run, or the path of its record.",
  busy = "Another program has it open. Close that, and try again.",
}

--- That a record cannot be made, opened or written.
---@param path string
---@param message string
---@param code mde.journal.code
---@return nil
---@return mde.Error err
function M.failed(path, message, code)
  return nil, errors.new { kind = "invalid", code = "record_unusable", hint = hints[code],
    message = ("the record %s: %s"):format(errors.quote(path), errors.show(message)) }
end

local journals, failed = M.journals, M.failed

-- One session at a time works on a run.
local function lock(path)
  local file, problem = posix.locked_file.open(places.lock_of(path))
  if not file then return failed(path, problem, "io") end
  local locked, why = file:lock()
  if locked then return file end
  file:close()
  if why then return failed(path, why, "io") end
  return nil, errors.new { kind = "invalid", code = "run_in_use",
    message = ("another session works on the run %s"):format(errors.quote(places.name_of(path))),
    hint = "Let it end, or stop it: mde stop RUN." }
end

local MAGIC = "SQLite format 3\0"

--- Whether a file begins as a record does: a run, or a plan that was kept.
---@param path string
---@return boolean? is_record nil: there is no such file
function M.is_record(path)
  -- Opening a FIFO would wait for somebody to write.
  if posix.directory.is_regular(path) == false then return false end
  local file = io.open(path, "rb")
  if not file then return nil end
  local beginning = file:read(#MAGIC)
  file:close()
  return beginning == MAGIC
end

--- Whether there is a file that can be a record; before anything is made beside it.
---@param path string
---@return true?
---@return mde.Error? err
function M.check_file(path)
  local is_record = M.is_record(path)
  if is_record == nil then
    return nil, errors.new { kind = "invalid", code = "run_missing",
      message = ("there is no run %s"):format(errors.quote(path)), hint = "Give its id, or the path of its record." }
  end
  if is_record then return true end
  return failed(path, "it is no record of a run", "not_a_journal")
end

local check_file = M.check_file

--- Whether a session is at work on a run. A session that begins meanwhile does so.
---@param path string
---@return boolean? in_use nil: it cannot be told
---@return mde.Error? err why not
function M.is_in_use(path)
  local locked, problem = posix.locked_file.is_locked(places.lock_of(path))
  if locked == nil then return failed(path, problem, "io") end
  return locked
end

--- The cap that a plan was made with; nil if that cannot be read.
---@param path string of its record
---@return number|false|table<string, number|false>|nil cap false: there is no cap; a table where verbs have others
function M.cap_of(path)
  local journal = journals()
  local opened = journal and check_file(path) and journal.open(path, { untrusted = true })
  local run = opened and opened:run()
  local settings = run and json.decode(run.settings)
  if opened then opened:close() end
  local bound = type(settings) == "table" and type(settings.bound) == "table" and settings.bound or {}
  if type(bound.cap) ~= "string" then return nil end
  local cap = core.number.read(bound.cap) or false
  if type(bound.caps) ~= "table" then return cap end
  local caps = {}
  for _, verb in ipairs(responses.verbs) do
    local own = bound.caps[verb]
    if core.response_actions[verb].is_capped then
      caps[verb] = cap
      if type(own) == "string" then caps[verb] = core.number.read(own) or false end
    end
  end
  return caps
end

--- What a record says of its run; it is only read, and may be at work.
---@param path string
---@return { verb: string, playbook: string, state: string, why: string?, made: number?, devices: integer }?
---@return string? problem in words
function M.facts_of(path)
  local journal, err = journals()
  if not journal then return nil, err.message end
  local opened, problem = journal.open(path, { untrusted = true, timeout = READ_SECONDS })
  if not opened then return nil, problem end
  local ok, facts, why = pcall(function()
    local run, message = opened:run()
    if not run then return nil, message end
    local devices = 0
    for _ in assert(opened:devices()) do devices = devices + 1 end
    -- A record may be from elsewhere, and say any number.
    local made = core.timestamp.whole(run.made) and run.made
    return { verb = run.verb, playbook = run.playbook, state = run.state, why = run.why, made = made,
      devices = devices }
  end)
  opened:close()
  if ok then return facts, why end
  return nil, tostring(facts)
end

local function close(record)
  record.journal:close()
  record.lock:close()
end

--- Closes a record, without a change.
---@param record mde.RunRecord
function M.abandon(record)
  close(record)
end

--- Makes a directory for records, for its owner alone; one that is there will do.
---@param path string
---@return true?
---@return mde.Error? err
function M.make_directory(path)
  local journal, err = journals()
  if not journal then return nil, err end
  local made, message, code = journal.make_directory(path)
  if made then return true end
  return failed(path, message, code)
end

--- Lets the directory of all runs know where a record lies.
---@param record mde.RunRecord
---@return true?
---@return mde.Error? err
function M.list(record)
  local directory, err = places.directory()
  if not directory then return nil, err end
  local made
  made, err = M.make_directory(directory)
  if not made then return nil, err end
  return places.point(record.id, record.path)
end

--- The steps of a run that is not at work.
---@param path string of its record
---@return mde.Step[]?
---@return mde.Error? err
function M.steps_of(path)
  local record, err = M.hold(path)
  if not record then return nil, err end
  local list = {}
  for step in record.journal:steps() do list[#list + 1] = step end
  close(record)
  return list
end

--- Ends with a record of which nothing has come. One that was made for this run alone stands in nobody's way then.
---@param record mde.RunRecord
local function give_up(record)
  record.journal:close()
  if record.is_new then
    os.remove(record.path)
    os.remove(record.path .. "-journal")
  end
  record.lock:close()
end

M.give_up = give_up

--- A new record, with a plan in it.
---@param client mde.Client
---@param plan mde.RunPlan
---@param path? string default in the directory of all runs
---@return mde.RunRecord? record
---@return mde.Error? err
function M.create(client, plan, path)
  local journal, err = journals()
  if not journal then return nil, err end
  local id
  id, err = places.new_id(client:now())
  if not id then return nil, err end
  if not path then
    local directory
    directory, err = places.directory()
    if not directory then return nil, err end
    local made
    made, err = M.make_directory(directory)
    if not made then return nil, err end
    path = ("%s/%s.db"):format(directory, id)
  end
  local file
  file, err = lock(path)
  if not file then return nil, err end
  local exchange = client.exchange
  local opened, message, code = journal.create(path, { id = id, verb = plan.undoes and "undo" or "run",
    undoes = plan.undoes, tenant = exchange.tenant_id or "",
    client = exchange.client_id or "", base_url = exchange.base_url, playbook = plan.playbook.name,
    text = plan.playbook.text, digest = plan.playbook.digest, arguments = json.encode(plan.playbook.arguments),
    settings = json.encode { bound = plan.settings, unresolvable = plan.unresolvable, others = plan.others,
      limits = plan.limits },
    made = plan.made })
  if not opened then
    file:close()
    return failed(path, message, code)
  end
  local record = { path = path, id = id, journal = opened, lock = file, is_new = true }
  local written
  written, message, code = plans.write(opened, plan)
  if written then return record end
  give_up(record)
  return failed(path, message, code)
end

--- Ends with a record in which nothing is under way: it is one file that can be sent to somebody.
---@param record mde.RunRecord
---@return true?
---@return mde.Error? err
function M.finish(record)
  local ok, message, code = record.journal:finish()
  record.lock:close()
  if ok then return true end
  return failed(record.path, message, code)
end

--- Opens the record of a run that is not at work, and keeps others from going on with it.
---@param path string
---@return mde.RunRecord?
---@return mde.Error? err
function M.hold(path)
  local journal, err = journals()
  if not journal then return nil, err end
  local sound, locked
  sound, err = check_file(path)
  if not sound then return nil, err end
  locked, err = lock(path)
  if not locked then return nil, err end
  local opened, message, code = journal.open(path)
  if opened then return { path = path, id = opened:run().id, journal = opened, lock = locked } end
  locked:close()
  return failed(path, message, code)
end

--- Opens a record to go on with it.
---@param path string
---@return mde.RunRecord?
---@return mde.Error? err
function M.open(path)
  local record, err = M.hold(path)
  if not record then return nil, err end
  -- Who goes on takes back that it was to stop; from now on a stop is of this session, though nothing has begun yet.
  stops.take_back(path)
  return record
end

local function line_of(path)
  local file = io.open(path)
  local line = file and file:read "*l"
  if file then file:close() end
  return line
end

local function host() return line_of "/proc/sys/kernel/hostname" or "unknown" end

-- What a session is known by.
local function fields_of(journal, began)
  local pid = (line_of "/proc/self/stat" or ""):match "^%d+"
  return { began = began, host = host(),
    boot = line_of "/proc/sys/kernel/random/boot_id", pid = pid and core.number.read(pid) or 0,
    who = variables.get "LOGNAME" or variables.get "USER", mde = clients.VERSION, digest = journal:run().digest }
end

-- Writes down that a session begins, and of the first one that the plan is taken; all of it or nothing. The number of
-- the session; or nil, message, code.
local function begin(journal, began, taken_at)
  local number, ok, message, code
  ok, message, code = journal:begin()
  if ok and taken_at then ok, message, code = journal:take(taken_at) end
  if ok then number, message, code = journal:begin_session(fields_of(journal, began)) end
  if number then ok, message, code = journal:set_state "running" end
  if number and ok then ok, message, code = journal:commit() end
  if number and ok then return number end
  journal:rollback()
  return nil, message, code
end

local function plan_taken(record)
  local name = places.name_of(record.path, record.id)
  return errors.new { kind = "invalid", code = "plan_taken",
    message = ("the plan %s was carried out already"):format(errors.quote(name)),
    hint = ("To go on with that run: mde resume %s"):format(shell_word.of(name)) }
end

--- Whether a plan can still be carried out: neither it was, nor a copy of its file, by this user.
---@param record mde.RunRecord
---@return true?
---@return mde.Error? err plan_taken
function M.check_unused(record)
  if record.journal:run().state ~= "planned" then return nil, plan_taken(record) end
  local other = places.pointer_of(record.id)
  if not other then return true end
  return nil, errors.new { kind = "invalid", code = "plan_taken",
    message = ("the plan %s was carried out already, in the file %s"):format(errors.quote(record.path),
      errors.quote(other)),
    hint = ("To go on with that run: mde resume %s. To do more, make a new plan."):format(record.id) }
end

--- A session begins: from here on something may be sent.
---@param record mde.RunRecord
---@param began number Unix seconds
---@param taken_at? number Unix seconds: it is the first, and the plan is taken, which is possible once
---@return true?
---@return mde.Error? err
function M.begin_session(record, began, taken_at)
  local original = places.original_of(record.id, record.path)
  if original then
    give_up(record)
    return nil, errors.new { kind = "invalid", code = "run_copied",
      message = ("%s is a copy: the record of the run %s is %s"):format(errors.quote(record.path), record.id,
        errors.quote(original)),
      hint = ("To go on with that run: mde resume %s. What was sent stands there alone."):format(record.id) }
  end
  local journal, bytes = record.journal, RESERVED_BYTES
  -- A step repeats what stands in the plan: the reason, for as long as it may be.
  for device in assert(journal:devices()) do bytes = bytes + RESERVED_BYTES_OF_DEVICE + #(device.facts or "") end
  local number
  local ok, message, code = journal:reserve(bytes)
  if ok then number, message, code = begin(journal, began, taken_at) end
  if number then
    record.session, record.host = number, host()
    return true
  end
  give_up(record)
  if code ~= "taken" then return failed(record.path, message, code) end
  return nil, plan_taken(record)
end

-- Writes down that a session has ended; all of it or nothing. True; or nil, message, code.
local function write_end(record, ending, session)
  local journal, at = record.journal, session.client.exchange.time()
  local ok, message, code = journal:begin()
  for _, step in ipairs(session.recall.steps.all) do
    if ok and step.reached then ok, message, code = journal:reached(step.n, record.session) end
  end
  for _, one in ipairs(ending.not_called) do
    local told = json.encode { machine_id = one.machine_id, verb = one.verb, incident = one.incident,
      message = one.why }
    if ok then ok, message, code = journal:event { at = at, kind = endings.NOT_ASKED_FOR, detail = told } end
  end
  if ok then ok, message, code = journal:end_session(record.session, at) end
  if ok then ok, message, code = journal:set_state(ending.state, ending.why) end
  if ok then ok, message, code = journal:commit() end
  if ok then return true end
  journal:rollback()
  return nil, message, code
end

--- A session has ended. Where that cannot be written its record says that it runs, and the next session goes on.
---@param record mde.RunRecord
---@param ending { state: string, why?: string, not_called: mde.NotCalled[] }
---@param session mde.Session
---@return true?
---@return string? message why it could not be written
function M.close(record, ending, session)
  local ok, written, message = pcall(write_end, record, ending, session)
  if ok and written and ending.state == "complete" and record.journal:finish() then
    record.lock:close()
    return true
  end
  close(record)
  if ok and written then return true end
  return nil, ok and message or tostring(written)
end

-- Why a restriction of an earlier session, which the service does not show, is not sent once more: its end has passed.
local function end_passed(client, step)
  local ends = core.comment.expiry(step.operation)
  if not ends or ends > client:now() then return nil end
  return errors.new { kind = "not_found", code = "end_passed", machine_id = step.device,
    operation_id = step.operation,
    message = ("its answer was lost and its end has passed (%s); it was not found in the device's list, and nothing "
      .. "more was sent"):format(core.timestamp.whole(ends)),
    hint = "If it is still meant, make a new plan." }
end

--- Finds out what came of what was sent and not answered, all of it by one list, before anything is sent.
---@param client mde.Client
---@param session mde.Session
function M.find_out(client, session)
  local open = {}
  for _, step in ipairs(session.recall.steps.all) do
    if not step.outcome or step.outcome == "unknown" then open[#open + 1] = step end
  end
  if not open[1] then return end
  client:each(open, function(step)
    local action, err, absent = client:find_out(session.recall:sent_before(step))
    if absent then err = end_passed(client, step) end
    if not absent or err then session:found_out(step, action, err) end
    return true
  end, { parallel = PARALLEL })
end

--- The first module that is not what it was when the plan was made.
---@param plan mde.RunPlan
---@param modules mde.PlaybookModule[] as they are now
---@return string? name
function M.changed_module(plan, modules)
  local digests = {}
  for _, module in ipairs(plan.modules) do digests[module.name] = module.digest end
  for _, module in ipairs(modules) do
    if digests[module.name] and digests[module.name] ~= module.digest then return module.name end
  end
end

--- Whether the file of a playbook is not what the record has.
---@param playbook mde.Playbook
---@return boolean
function M.is_changed(playbook)
  local now = playbooks.read(playbook.name, {})
  return now ~= nil and now.digest ~= playbook.digest
end

return M
