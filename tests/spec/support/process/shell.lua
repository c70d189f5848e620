-- Files, and commands of the shell, for tests that start programs.

local shell = {}

--- A text as one word of the shell.
---@param text string
---@return string
function shell.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

---@param path string
---@return string? text nil if there is no such file
function shell.read_file(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

---@param path string
---@param text string
function shell.write_file(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

--- What a command line writes.
---@param line string
---@return string
function shell.output_of(line)
  local pipe = assert(io.popen(line))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

--- A new directory for temporary files.
---@return string path
function shell.new_directory()
  return (shell.output_of "mktemp -d":gsub("%s+$", ""))
end

--- The same, in memory where the machine has such a place: for tests that sync thousands of times.
---@return string path
function shell.new_directory_in_memory()
  local path = shell.output_of "mktemp -d -p /dev/shm 2>/dev/null":gsub("%s+$", "")
  return path ~= "" and path or shell.new_directory()
end

--- Removes a file or a directory with all that is in it.
---@param path string
function shell.remove(path)
  os.execute("rm -rf " .. shell.quote(path))
end

--- Writes a file that a shell reads with "." to have these variables. The command line would show a secret to anybody.
---@param path string
---@param variables table<string, string|false> false: not set
function shell.write_environment(path, variables)
  local lines = {}
  for name, value in pairs(variables) do
    lines[#lines + 1] = value and ("export %s=%s"):format(name, shell.quote(value)) or "unset " .. name
  end
  shell.write_file(path, table.concat(lines, "\n") .. "\n")
end

--- The directory with the modules under test.
---@return string
function shell.build()
  return os.getenv "MDE_BUILD" or "./build"
end

--- Where lua5.4 finds the tree and the modules under test, whichever Lua runs the tests.
---@return table<string, string>
function shell.lua_environment()
  return { LUA_PATH_5_4 = "./lua/?.lua;./lua/?/init.lua;;", LUA_CPATH_5_4 = shell.build() .. "/lua5.4/?.so;;" }
end

return shell
