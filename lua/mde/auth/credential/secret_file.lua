--- credential.secret_file: a file with something secret in it, read when it is new and when it has changed.
--
-- What was read stays usable when the file cannot be read any more, since a web server's workers often may not read
-- what their master could.

local errors = require "mde.base.error"
local posix = require "mde.posix"

local M = {}

---@class mde.SecretFile
---@field path string
---@field remark? string what is not as it should be
---@field private what string whose content it is, for errors
---@field private longest integer bytes
---@field private value? userdata an mde.core secret
---@field private stamp? string
local SecretFile = {}
SecretFile.__index = SecretFile

-- What was given in the place of a path, if it is the secret itself, which no message may show then.
local function is_no_path(value)
  if value:find("-----BEGIN", 1, true) then return "a PEM text" end
  if value:find "^eyJ[A-Za-z0-9_-]+%." then return "a token" end
  -- What all secrets have that Entra makes, and Microsoft's own scanners look for.
  if #value >= 30 and value:find "^[A-Za-z0-9_~.-]+%dQ~[A-Za-z0-9_~.-]+$" then return "a client secret" end
  if value:find "[\r\n]" then return "a text of several lines" end
end

--- A path. Raises for anything else.
---@param path any
---@param what string "the file with the client secret"
---@return string path
function M.check_path(path, what)
  if type(path) ~= "string" or path == "" then
    errors.invalid("wrong_type",
      ("%s must be a path, not %s"):format(what, errors.got(path)), "Give the path of the file.")
  end
  local given = is_no_path(path)
  if given then
    errors.invalid("wrong_value", ("%s must be a path, and is %s"):format(what, given),
      "Put it into a file for its owner alone, and give the path of that file.")
  end
  return path
end

---@param path string
---@param what string "the file with the client secret"
---@param longest integer bytes
---@return mde.SecretFile
function M.new(path, what, longest)
  return setmetatable({ path = M.check_path(path, what), what = what, longest = longest }, SecretFile)
end

local function unreadable(self, problem, hint)
  return errors.new { kind = "auth", code = "credential_unreadable",
    message = ("%s cannot be used: %s"):format(self.what, errors.show(problem)),
    hint = hint or "Check the path, and that the user who runs this may read the file." }
end

--- What it is called in hints.
---@return string
function SecretFile:name()
  return "the file " .. errors.quote(self.path)
end

--- Whether the file is another than the one that was read.
---@return boolean
function SecretFile:changed()
  local stamp = posix.secret_file.stamp(self.path)
  return stamp ~= nil and stamp ~= self.stamp
end

--- The content, without white space at its end.
---@return userdata? value an mde.core secret
---@return mde.Error? err of kind `auth`
---@return boolean? is_new whether it is another than before
function SecretFile:read()
  if self.value and not self:changed() then return self.value, nil, false end
  return self:read_again()
end

--- The same, whatever the file's stamp says.
---@return userdata? value
---@return mde.Error? err
---@return boolean? is_new
function SecretFile:read_again()
  local value, stamp, remark = posix.secret_file.read(self.path)
  if not value then
    if not self.value then return nil, unreadable(self, stamp, remark) end
    -- Not looked at again before it changes once more.
    self.stamp = posix.secret_file.stamp(self.path) or self.stamp
    return self.value, nil, false
  end
  if #value > self.longest then
    value:wipe()
    return nil, errors.new { kind = "auth", code = "credential_too_long",
      message = ("%s (%s) is longer than %d bytes"):format(self.what, errors.show(self.path), self.longest),
      hint = "Check that it is the right file." }
  end
  self.value, self.stamp, self.remark = value, stamp, remark
  return value, nil, true
end

return M
