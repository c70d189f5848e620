--- line_file: a file to which lines are appended, each as soon as it is known.
--
-- It is made for its owner alone, and is no symbolic link, no device and nothing that everybody may write. A line is
-- one write, so that several commands may share a file. A disk that is full may cut a line short; what is appended
-- later begins a line of its own. Where another command was just writing that may leave an empty line.

local posix = require "mde.posix"

local M = {}

---@class mde.cli.LineFile
---@field private file file*
---@field private path string
---@field private may_be_cut boolean its last line may have been cut short
local LineFile = {}
LineFile.__index = LineFile

local function ends_within_line(path)
  local file = io.open(path, "rb")
  local is_within = file and file:seek("end", -1) and file:read(1) ~= "\n" or false
  if file then file:close() end
  return is_within
end

--- Opens it, and makes it where it is missing.
---@param path string
---@return mde.cli.LineFile? file
---@return string? problem
function M.open(path)
  local made, problem = posix.locked_file.open(path)
  if not made then return nil, problem end
  made:close()
  local file, message = io.open(path, "a")
  if not file then return nil, (message:gsub("^.*: ", "")) end
  -- Without a buffer one text is one write, and nothing of a line that failed comes after all.
  file:setvbuf "no"
  return setmetatable({ file = file, path = path, may_be_cut = true }, LineFile)
end

--- Appends a line.
---@param line string without its end
---@return boolean written
---@return string? problem
function LineFile:append(line)
  local before = self.may_be_cut and ends_within_line(self.path) and "\n" or ""
  local ok, problem = self.file:write(before .. line .. "\n")
  self.may_be_cut = not ok
  if ok then return true end
  return false, problem
end

function LineFile:close()
  self.file:close()
end

return M
