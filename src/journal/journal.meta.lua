---@meta mde.journal

-- mde.journal.meta: what the C functions of mde.journal take and return, for editors and type checkers.
-- It is never loaded.
-- luacheck: ignore

---The record of a run: a SQLite file. Times are Unix seconds, digests 32 bytes, devices their ids (40 hex digits in
---lower case), texts any bytes; what is JSON is not looked into. A wrong type or an unknown field raises.
---
---Every write is on the disk when its function returns, unless `begin` came before. Where it fails, nothing of it is
---there, as far as the disk can be believed: what it did not confirm may show later. The journal stays usable.
---
---The codes, which are the third value beside nil and a message:
---
--- - `exists` `missing` `read_only` `io` `memory`: as the file system says
--- - `network`: on a file system whose locks cannot be trusted
--- - `no_space`: less than three times what was to be reserved is free; `full`: the disk is full
--- - `busy`: another process has it
--- - `unsafe`: another user owns the file or may write it
--- - `not_a_journal` `newer` `foreign_schema` `damaged`: what is wrong with the file
--- - `constraint`: what was to be written contradicts what stands there
--- - `taken`: see `take`
--- - `closed` `forked`: the journal is closed, or belongs to the process that this one was forked from
---@alias mde.journal.code string

---@class mde.journal
---@field version string "SQLite 3.40.1"
local journal = {}

---@class mde.journal.run
---@field id string
---@field verb "plan"|"run"|"undo"
---@field undoes? string
---@field tenant string
---@field client string
---@field base_url string
---@field playbook string its path
---@field text string
---@field digest string of the text
---@field arguments string
---@field settings string
---@field plan? string its digest
---@field made number
---@field taken? number when the plan was taken to be run; not for create
---@field state? "planned"|"running"|"paused"|"stopped"|"broken"|"complete" not for create, which says "planned"
---@field why? string not for create

---@class mde.journal.session
---@field n? integer
---@field began number
---@field ended? number
---@field host string
---@field boot? string
---@field pid integer
---@field who? string
---@field mde string the version
---@field digest string of the playbook that it runs

---@class mde.journal.module
---@field name string
---@field path string
---@field digest string

---@class mde.journal.device
---@field n? integer
---@field id string
---@field name? string
---@field platform? string
---@field facts? string
---@field wave? integer
---@field decision? string
---@field rule? string
---@field why? string

---What makes a step the one it is, in one run.
---@class mde.journal.identity
---@field device string
---@field verb string
---@field incident? string default ""
---@field key? string default ""
---@field occurrence? integer default 1

---@class mde.journal.sending: mde.journal.identity
---@field session integer
---@field operation string
---@field comment string
---@field arguments string
---@field at number
---@field sent_service? number
---@field expires? number

---@class mde.journal.settled: mde.journal.identity
---@field session integer
---@field operation? string
---@field comment? string
---@field arguments string
---@field answered number
---@field outcome "accepted"|"already_active"|"superseded"|"refused"
---@field action? string
---@field row? string
---@field error? string

---@class mde.journal.result
---@field step integer
---@field outcome "accepted"|"already_active"|"superseded"|"refused"|"unknown"
---@field answered number
---@field action? string
---@field row? string
---@field error? string

---@class mde.journal.step: mde.journal.identity
---@field n integer
---@field session integer the one that sent it first
---@field operation? string
---@field comment? string
---@field arguments string
---@field attempts integer 0: nothing was sent
---@field sent? number the first time
---@field sent_service? number
---@field answered? number
---@field outcome? "accepted"|"already_active"|"superseded"|"refused"|"unknown" nil: sent, and no answer was recorded
---@field action? string
---@field row? string
---@field error? string
---@field status? string
---@field status_at? number
---@field expires? number
---@field reached? integer the last session whose replay came by

---@class mde.journal.event
---@field n? integer
---@field at number
---@field step? integer nil too where the step was forgotten
---@field kind string
---@field detail? string

---Makes the file, for its owner alone; it must not be there.
---@param path string
---@param fields mde.journal.run
---@return mde.journal.file?
---@return string? problem
---@return mde.journal.code?
function journal.create(path, fields) end

---Opens a journal to read and write, also one that a process left when it was killed.
---
---`untrusted`: it came from elsewhere, and its owner may be anybody; it can be read and copied, and not written.
---`timeout`: for so many seconds a write waits for others, default 10.
---@param path string
---@param options? { untrusted?: boolean, timeout?: number }
---@return mde.journal.file?
---@return string? problem
---@return mde.journal.code?
function journal.open(path, options) end

---Makes a directory that its owner alone may look into, and those above it that are missing.
---@param path string
---@return true?
---@return string? problem
---@return mde.journal.code?
function journal.make_directory(path) end

---@class mde.journal.file
local file = {}

---@return mde.journal.run?
---@return string? problem
---@return mde.journal.code?
function file:run() end

---Once; the same one again does no harm.
---@param digest string
---@return true?
---@return string? problem
---@return mde.journal.code?
function file:set_plan(digest) end

---A plan is for a single use.
---@param now number
---@return true?
---@return string? problem
---@return mde.journal.code? "taken"
---@return number? taken when that was
function file:take(now) end

---@param state "planned"|"running"|"paused"|"stopped"|"broken"|"complete"
---@param why? string
---@return true?
---@return string? problem
---@return mde.journal.code?
function file:set_state(state, why) end

---@param fields mde.journal.session without `ended`
---@return integer? n
---@return string? problem
---@return mde.journal.code?
function file:begin_session(fields) end

---@param n integer
---@param ended number
---@return true?
---@return string? problem
---@return mde.journal.code?
function file:end_session(n, ended) end

---The newest of a name stays.
---@param fields mde.journal.module
---@return true?
---@return string? problem
---@return mde.journal.code?
function file:module(fields) end

---Inserts it, or changes what is given of the one with that id.
---@param fields mde.journal.device
---@return integer? n
---@return string? problem
---@return mde.journal.code?
function file:device(fields) end

---In one run a name means one machine: `constraint` if it meant another one before.
---@param name string in its normal form
---@param device string
---@return true?
---@return string? problem
---@return mde.journal.code?
function file:asked(name, device) end

---@param name string
---@return string|false|nil device
---@return string? problem
---@return mde.journal.code?
function file:find_asked(name) end

---Again does no harm.
---@param device string
---@param verb string
---@param incident? string default ""
---@return true?
---@return string? problem
---@return mde.journal.code?
function file:planned(device, verb, incident) end

---@param device string
---@param verb string
---@param incident? string default ""
---@return boolean?
---@return string? problem
---@return mde.journal.code?
function file:is_planned(device, verb, incident) end

---Call it before each attempt, and send only if it returns a number. Inserts the step, or counts one attempt more of
---the one with that identity: `constraint` if that has a result other than unknown, or another operation id.
---@param fields mde.journal.sending
---@return integer? step
---@return string? problem
---@return mde.journal.code?
function file:sending(fields) end

---A result for which nothing had to be sent, as already_active: `attempts` is 0.
---@param fields mde.journal.settled
---@return integer? step
---@return string? problem
---@return mde.journal.code?
function file:settled(fields) end

---A result stays, but for unknown, which may become any other.
---@param fields mde.journal.result
---@return boolean? recorded false: another result stands, and stays
---@return string? problem
---@return mde.journal.code?
function file:result(fields) end

---A final status stays. Final is what is neither Pending nor InProgress.
---@param step integer
---@param status string
---@param at number
---@return boolean? recorded false: a final one stands, and stays
---@return string? problem
---@return mde.journal.code?
function file:status(step, status, at) end

---@param step integer
---@param session integer whose replay came by
---@return true?
---@return string? problem
---@return mde.journal.code?
function file:reached(step, session) end

---The last attempt, of which certainly nothing was sent, is taken back; the step is gone if it was the only one. So is
---one that was refused.
---@param step integer
---@return true?
---@return string? problem
---@return mde.journal.code?
function file:forget(step) end

---@param identity mde.journal.identity
---@return mde.journal.step|false|nil
---@return string? problem
---@return mde.journal.code?
function file:find(identity) end

---@param fields mde.journal.event
---@return integer? n
---@return string? problem
---@return mde.journal.code?
function file:event(fields) end

---Iterators: `for step in assert(file:steps "open") do`. All is read before the first is given.
---@param which? "all"|"open"|"pending" open: no result, or unknown; pending: accepted, and no final status
---@return (fun(): mde.journal.step?)?
---@return string? problem
---@return mde.journal.code?
function file:steps(which) end

---@return (fun(): mde.journal.device?)?
---@return string? problem
---@return mde.journal.code?
function file:devices() end

---@return (fun(): mde.journal.module?)?
---@return string? problem
---@return mde.journal.code?
function file:modules() end

---What `asked` recorded.
---@return (fun(): { name: string, device: string }?)?
---@return string? problem
---@return mde.journal.code?
function file:names() end

---@return (fun(): mde.journal.session?)?
---@return string? problem
---@return mde.journal.code?
function file:sessions() end

---@return (fun(): mde.journal.event?)?
---@return string? problem
---@return mde.journal.code?
function file:events() end

---What `planned` recorded, by machine, verb and incident.
---@return (fun(): { device: string, name?: string, verb: string, incident: string }?)?
---@return string? problem
---@return mde.journal.code?
function file:plan_rows() end

---One transaction around many writes. If one of them fails, all of them have failed, and those that follow fail too,
---up to `commit`, which says so, or `rollback`.
---@return true?
---@return string? problem
---@return mde.journal.code?
function file:begin() end

---@return true?
---@return string? problem
---@return mde.journal.code?
function file:commit() end

---Ends a transaction, and nothing of it is there. Where none is under way, after a commit that failed for example, it
---does nothing.
---@return true?
---@return string? problem
---@return mde.journal.code?
function file:rollback() end

---Makes so many bytes the journal's own, so that results can be written when the disk is full. 256 kB and 2 kB for
---each device will do.
---@param bytes number at most 200 million
---@return true?
---@return string? problem
---@return mde.journal.code? "no_space": three times as much has to be free
function file:reserve(bytes) end

---@param path string of the new file, for its owner alone
---@return true?
---@return string? problem
---@return mde.journal.code?
function file:copy(path) end

---Makes one file of it, which can be mailed, and closes it.
---@return true?
---@return string? problem
---@return mde.journal.code? "busy": somebody reads it, and it stays open
function file:finish() end

---What is not committed is rolled back. A second time is harmless.
function file:close() end

return journal
