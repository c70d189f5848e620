--- playbook: a file of ordinary Lua, and how it is run in a plan and in a run.
--
-- Its text is kept, so that a run which is continued runs what it began with. It has globals of its own, `require
-- "mde"` gives it the library of the run (library.lua), and it cannot end the process.

local core = require "mde.core"
local digests = require "mde.run.digest"
local errors = require "mde.base.error"
local posix = require "mde.posix"

local MAX_BYTES = 4 * 1024 * 1024

local M = {}

---@class mde.Playbook
---@field name string as it was called
---@field text string
---@field digest string SHA-256, 32 bytes
---@field arguments string[]

---@class mde.PlaybookModule a module that the playbook has loaded
---@field name string
---@field path string
---@field digest string

local function of_text(name, text, arguments)
  -- The record keeps them as JSON, and the plan's digest is over them.
  for i, argument in ipairs(arguments) do
    if not core.text.is_utf8(argument) then
      return nil, errors.new { kind = "invalid", code = "text_malformed",
        message = ("argument %d of the playbook is not UTF-8: %s"):format(i, errors.quote(argument)),
        hint = "Give it in UTF-8." }
    end
  end
  local digest, err = digests.sha256(text)
  if not digest then return nil, err end
  return { name = name, text = text, digest = digest, arguments = arguments }
end

M.of_text = of_text

local function unreadable(name, why)
  return nil, errors.new { kind = "invalid", code = "playbook_unreadable",
    message = ("the playbook %s cannot be read: %s"):format(errors.quote(name), errors.show(why)),
    hint = "Name a file of Lua." }
end

--- Reads a playbook.
---@param path string
---@param arguments string[] what it gets as `arg` and `...`
---@return mde.Playbook?
---@return mde.Error? err
function M.read(path, arguments)
  local file, problem = io.open(path, "rb")
  if not file then return unreadable(path, problem) end
  local text, why = file:read(MAX_BYTES + 1)
  file:close()
  if not text and why then return unreadable(path, why) end
  text = text or ""
  if #text > MAX_BYTES then return unreadable(path, "it is longer than 4 MB") end
  if text:sub(1, 1) == "\27" then return unreadable(path, "it is compiled; a playbook is text that can be read") end
  return of_text(path, text, arguments)
end

-- A line "#!" at the beginning is for the shell.
local function source_of(text)
  return (text:gsub("^#[^\n]*", ""))
end

local function compile(playbook, globals)
  local source, name = source_of(playbook.text), "@" .. playbook.name
  if rawget(_G, "setfenv") then
    local chunk, problem = loadstring(source, name) -- luacheck: ignore 113
    if chunk then setfenv(chunk, globals) end -- luacheck: ignore 113
    return chunk, problem
  end
  return load(source, name, "t", globals)
end

-- What os.exit raises.
local EXIT = setmetatable({}, { __tostring = function() return "os.exit" end })

local function copy(values)
  local own = {}
  for key, value in pairs(values) do own[key] = value end
  return own
end

-- What a playbook prints while it is planned goes to standard error, and says so: the results are still to come.
local function print_of_plan(...)
  local words = {}
  for i = 1, select("#", ...) do words[i] = tostring((select(i, ...))) end
  local line = table.concat(words, "\t"):gsub("\t", "    ")
  io.stderr:write("plan: ", errors.escape(line), "\n")
end

local function globals_of(playbook, is_plan)
  local arguments = copy(playbook.arguments)
  arguments[0] = playbook.name
  local own = { arg = arguments, print = is_plan and print_of_plan or nil }
  own._G = own
  return setmetatable(own, { __index = _G })
end

local function path_of(name)
  local place = name:gsub("%.", "/")
  for template in (package.path .. ";" .. package.cpath):gmatch "[^;]+" do
    local path = template:gsub("%?", (place:gsub("%%", "%%%%")))
    local file = io.open(path, "rb")
    if file then
      local text = file:read "*a"
      file:close()
      return path, text
    end
  end
end

-- The modules that were loaded since, but for those of this library.
local function new_modules(before)
  local list = {}
  for name in pairs(package.loaded) do
    if not before[name] and type(name) == "string" and name ~= "mde" and name:sub(1, 4) ~= "mde." then
      local path, text = path_of(name)
      list[#list + 1] = { name = name, path = path or "", digest = digests.sha256(text or "") }
    end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

local function raised(problem)
  if problem == EXIT then
    return errors.new { kind = "invalid", code = "playbook_exits",
      message = "the playbook called os.exit, which would end the run without a record of its end",
      hint = "Let it end by itself: return, or error(text)." }
  end
  local text = problem
  if type(problem) == "table" or type(problem) == "userdata" then
    local shown, words = pcall(tostring, problem)
    text = shown and words or "a " .. type(problem)
  end
  return errors.new { kind = "invalid", code = "playbook_raised", cause = problem,
    message = "the playbook raised: " .. errors.show(text) }
end

-- Gives the process back what a playbook has in the place of its own, while one runs.
local give_back

--- A playbook that waits is left there, and never goes on.
function M.leave()
  if give_back then give_back() end
end

--- Runs a playbook from its beginning to its end.
---@param playbook mde.Playbook
---@param library table what `require "mde"` gives it
---@param seed integer of math.random, so that each pass draws the same numbers
---@param is_plan? boolean what it prints is no result yet, and goes to standard error
---@return true? ended
---@return mde.Error? err it does not compile (playbook_malformed), raised, or wanted to end the process
---@return mde.PlaybookModule[] modules that it has loaded
function M.run(playbook, library, seed, is_plan)
  local chunk, problem = compile(playbook, globals_of(playbook, is_plan))
  if not chunk then
    return nil, errors.new { kind = "invalid", code = "playbook_malformed",
      message = "the playbook is not Lua: " .. errors.show(problem) }, {}
  end
  local before, exit, generation = copy(package.loaded), os.exit, posix.fork.generation()
  local own = package.loaded.mde
  function give_back()
    os.exit = exit -- luacheck: ignore 122
    package.loaded.mde, give_back = own, nil
  end
  package.loaded.mde = library
  os.exit = function() error(EXIT, 0) end -- luacheck: ignore 122
  math.randomseed(seed)
  local unpack = rawget(table, "unpack") or rawget(_G, "unpack")
  local ok, why = pcall(chunk, unpack(playbook.arguments))
  M.leave()
  local modules = new_modules(before)
  -- The next pass loads them again: what one has left in them is nothing for the next.
  for _, module in ipairs(modules) do package.loaded[module.name] = nil end
  if posix.fork.generation() ~= generation then
    return nil, errors.new { kind = "invalid", code = "forked",
      message = "this is a fork of the process that runs the playbook; the run goes on in that one alone" }, modules
  end
  if ok then return true, nil, modules end
  return nil, raised(why), modules
end

return M
