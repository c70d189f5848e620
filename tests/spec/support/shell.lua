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

return shell
