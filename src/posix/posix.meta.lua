---@meta mde.posix

-- mde.posix.meta: what the C functions of mde.posix take and return, for editors and type checkers.
-- It is never loaded.
-- luacheck: ignore

---What only the operating system knows or does, and mde.core never asks for.
---@class mde.posix
---@field certificate_directory mde.posix.certificate_directory
---@field clock mde.posix.clock
---@field directory mde.posix.directory
---@field entropy mde.posix.entropy
---@field fork mde.posix.fork
---@field locked_file mde.posix.locked_file
---@field log_file mde.posix.log_file
---@field process mde.posix.process
---@field secret_file mde.posix.secret_file
---@field signal mde.posix.signal
---@field terminal mde.posix.terminal
local posix = {}

---@class mde.posix.certificate_directory
local certificate_directory = {}

---@param path string
---@return integer? count of the certificates that OpenSSL finds there, which are named by a hash: 5ed36f99.0
---@return string? problem the directory cannot be read
function certificate_directory.count(path) end

---@class mde.posix.clock
local clock = {}

---@return number seconds on a clock that only goes forward, also while the machine sleeps; its zero means nothing
function clock.now() end

---@return number seconds Unix seconds, with a fraction
function clock.time() end

---Returns early when a signal arrives, so that a script's Ctrl-C is seen.
---@param seconds number nothing happens unless it is positive
function clock.sleep(seconds) end

---@class mde.posix.directory
local directory = {}

---@param path string
---@return string[]? names of what is in it, in no order
---@return string? problem the directory cannot be read
---@return boolean? is_missing
function directory.names(path) end

---Opens nothing, so it waits for nobody as opening a FIFO does.
---@param path string
---@return boolean? is_regular whether it is a regular file, or a symbolic link leads to one; nil: nothing is there, or
---that cannot be told
function directory.is_regular(path) end

---The same file is found by it from any directory. The links that lead to the file's directory are followed; the file
---keeps its own name, and need not be there.
---@param path string of a file
---@return string? absolute
---@return string? problem its directory is not there, or the path is too long
---@return boolean? is_missing
function directory.absolute(path) end

---@class mde.posix.entropy
local entropy = {}

---Takes random bytes from the kernel.
---@param count integer 1 to 64; raises for any other
---@return string? bytes
---@return string? problem
function entropy.bytes(count) end

---@class mde.posix.fork
local fork = {}

---@return integer generation grows in the child of each fork; handles of another one belong to another process
function fork.generation() end

---@class mde.posix.locked_file
local locked_file = {}

---One text in a file that several processes change, one at a time.
---@class mde.locked_file
local file = {}

---@param path string made, for its owner alone, if there is no such file
---@return mde.locked_file?
---@return string? problem
function locked_file.open(path) end

---Makes and takes nothing, so another one that locks it meanwhile gets it.
---@param path string
---@return boolean? locked false: nobody has it, or there is no such file
---@return string? problem
function locked_file.is_locked(path) end

---@return boolean? locked false: somebody else has it
---@return string? problem
function file:lock() end

function file:unlock() end

---Call it with the lock held.
---@return string? text "" in a new file
---@return string? problem
function file:read() end

---Call it with the lock held, after a read.
---@param text string
---@return true?
---@return string? problem the text that was there stays
function file:write(text) end

function file:close() end

---@class mde.posix.log_file
local log_file = {}

---Bytes in a file that grows, of one process at a time.
---@class mde.log_file
local log = {}

---@param path string made, for its owner alone, if there is no such file
---@return mde.log_file|false|nil file locked until it is closed; false: somebody else has it
---@return string? problem
function log_file.open(path) end

---@return string? bytes
---@return string? problem
function log:read() end

---@param bytes string
---@param is_safe? boolean it is on the disk when this returns; else it outlives the process alone
---@return true?
---@return string? problem nothing more is put there then, if nobody knows what stands there, until all is replaced
function log:append(bytes, is_safe) end

---In one step.
---@param bytes string
---@return true? safe
---@return string? problem it is as it was
function log:replace(bytes) end

---@return integer bytes
function log:length() end

function log:close() end

---@class mde.posix.process for a command, which owns its process; a library leaves this to its host
local process = {}

---No core dump, and no other process of the same user may read the memory of this one.
---@return boolean? done
---@return string? problem
function process.harden() end

---@class mde.posix.secret_file
local secret_file = {}

---Reads a file into a secret of mde.core; no Lua string of it is made. White space at its ends and a byte order mark
---are no part of it.
---@param path string
---@return mde.secret? secret
---@return string stamp_or_problem what `stamp` says of the file; or the path and why it cannot be read: it is no
---file, is empty, is UTF-16, is longer than 65536 bytes, or everybody may write it
---@return string? remark if others than its owner may read it, or write it; or what to do about the problem, where that
--- is not plain
---@return boolean? is_writable whether others than its owner may write it
function secret_file.read(path) end

---A text that changes when the file does.
---@param path string
---@return string? stamp
---@return string? problem
function secret_file.stamp(path) end

---@class mde.posix.signal for a command, which owns its process; a library leaves this to its host
local signal = {}

---From now on SIGINT, SIGTERM and SIGHUP are counted instead of ending the process (SIGHUP stays ignored where it
---is), and writing to a closed pipe is an error, as is writing more to a file than the limits of the process allow.
function signal.watch() end

---@return integer count how often the process was asked to end since it watches: 0, 1 or 2
function signal.interruptions() end

---From the count-th time on that it is asked to end, the process is ended with status 130 if `interruptions` is not
---called within so many seconds: it computes, and waits for nothing.
---@param count 0|1|2 0: never
---@param seconds? integer 1 to 3600, default 1
function signal.end_unless_looked_at(count, seconds) end

---@class mde.posix.terminal
local terminal = {}

---@param descriptor 0|1|2 standard input, output or error
---@return boolean
function terminal.is_terminal(descriptor) end

---@param descriptor 0|1|2
---@return integer? columns nil if it is no terminal or does not say
function terminal.columns(descriptor) end

return posix
