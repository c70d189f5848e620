-- Runs a Lua program in an interpreter of its own, the same as the one that runs the tests.

local shell = require "tests.spec.support.process.shell"

local script = {}

local quote = shell.quote

---@class tests.script.options
---@field arguments string[]?
---@field environment table<string, string>?
---@field build string? a directory whose modules are found first

---@param text string the program
---@param options tests.script.options?
---@return { pid: integer, finish: fun(): string, string } process `finish` gives all that it wrote, and "exit N"
function script.start(text, options)
  options = options or {}
  local name = os.tmpname()
  shell.write_file(name, text)
  local lua = os.getenv "MDE_LUA" or "lua5.4"
  local words = { "env" }
  for key, value in pairs(options.environment or {}) do words[#words + 1] = quote(key .. "=" .. value) end
  if options.build then
    words[#words + 1] = quote(("LUA_CPATH=%s/%s/?.so;%s"):format(options.build, lua, os.getenv "LUA_CPATH" or ";"))
  end
  words[#words + 1] = lua
  words[#words + 1] = name
  for _, word in ipairs(options.arguments or {}) do words[#words + 1] = quote(word) end
  local pipe = assert(io.popen(("exec 2>&1; sh -c 'echo $$; exec \"$@\"' sh %s; echo \"exit $?\"; rm -f %s")
    :format(table.concat(words, " "), name)))
  local pid = tonumber(pipe:read "*l")
  return {
    pid = pid,
    finish = function()
      local output = pipe:read "*a"
      pipe:close()
      local written, status = output:match "^(.-)(exit %d+)\n$"
      return written or output, status
    end,
  }
end

--- Runs a program to its end.
---@param text string
---@param options tests.script.options?
---@return string output
---@return string status "exit N"
function script.run(text, options)
  return script.start(text, options).finish()
end

return script
