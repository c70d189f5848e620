-- The directory of a served tenant: its authority, its ids and secret, made once; and the port while it is served.
-- Only the user who made it can read it.
local core = require "mde.core"
local encoding = require "mde.sim.base.encoding"
local json = require "mde.sim.base.json"
local certificates = require "mde.sim.server.certificates"
local rand = require "openssl.rand"

local M = {}
M.__index = M

--- Quotes a text for the shell.
---@param text string
---@return string
function M.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Where the tenant lives by default.
---@return string? path nil if neither XDG_STATE_HOME nor HOME is set
function M.default()
  local state = os.getenv "XDG_STATE_HOME"
  if state and state ~= "" then return state .. "/mde/sim" end
  local user = os.getenv "HOME"
  return user and user ~= "" and user .. "/.local/state/mde/sim" or nil
end

local function succeeded(result)
  return result == true or result == 0
end

local function read_file(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

-- Runs a shell command that makes a file from its standard input, and never lets anybody else read it.
local function pipe_into(command, text)
  local pipe = assert(io.popen("umask 077 && " .. command, "w"))
  pipe:write(text)
  pipe:close()
end

-- Writes a file that is there whole or not at all.
local function write_private(path, text)
  local quoted = M.quote(path)
  pipe_into(("cat > %s.new.$$ && mv -f %s.new.$$ %s"):format(quoted, quoted, quoted), text)
  if read_file(path) ~= text then error(("could not write %s"):format(path), 0) end
end

-- Makes a file unless it is there, and returns what it holds: of two who make it at once, one succeeds and both have
-- the same.
local function read_or_make(path, make)
  local text = read_file(path)
  if text then return text end
  local quoted = M.quote(path)
  pipe_into(("cat > %s.new.$$ && { ln %s.new.$$ %s 2>/dev/null; rm -f %s.new.$$; }"):format(quoted, quoted, quoted,
    quoted), make())
  return read_file(path) or error(("could not write %s"):format(path), 0)
end

local function make_identity()
  local function guid()
    local hex = encoding.hex(rand.bytes(16))
    return ("%s-%s-4%s-8%s-%s"):format(hex:sub(1, 8), hex:sub(9, 12), hex:sub(14, 16), hex:sub(18, 20), hex:sub(21))
  end
  return json.encode {
    tenant_id = guid(),
    client_id = guid(),
    -- What real secrets may hold and a careless form does not survive.
    client_secret = "simulated ~+/=%&'" .. encoding.base64url(rand.bytes(12)),
  }
end

local function make_authority()
  local authority = certificates.make_authority()
  return authority.key .. authority.certificate
end

function M:path(name) return self.directory .. "/" .. name end

local function damaged(path)
  error(("%s is damaged: remove it, and it is made anew"):format(path), 0)
end

local function open_identity(path)
  local identity = json.decode_object(read_or_make(path, make_identity))
  for _, name in ipairs { "tenant_id", "client_id", "client_secret" } do
    if not identity or type(identity[name]) ~= "string" then damaged(path) end
  end
  return identity
end

local function open_authority(path)
  local key, certificate = read_or_make(path, make_authority):match "^(%-.-PRIVATE KEY%-%-%-%-%-\n)(%-.*)$"
  local authority = { key = key, certificate = certificate }
  if not key or not pcall(certificates.server_context, authority) then damaged(path) end
  return authority
end

--- Opens the directory, and makes it and what is missing in it.
---@param directory string
---@return table state_directory `identity`, `authority` (PEM), `ca_file`, `directory`
function M.open(directory)
  if not succeeded(os.execute("umask 077 && mkdir -p -- " .. M.quote(directory))) then
    error(("could not make the directory %s"):format(directory), 0)
  end
  local pipe = assert(io.popen("cd -- " .. M.quote(directory) .. " && pwd"))
  local absolute = pipe:read "*l"
  pipe:close()
  if not absolute then error(("could not enter the directory %s"):format(directory), 0) end
  local self = setmetatable({ directory = absolute }, M)
  self.identity = open_identity(self:path "tenant.json")
  self.authority = open_authority(self:path "authority.pem")
  self.ca_file = self:path "ca.pem"
  if read_file(self.ca_file) ~= self.authority.certificate then
    write_private(self.ca_file, self.authority.certificate)
  end
  return self
end

--- Notes the port while the tenant is served.
---@param port integer
function M:set_port(port)
  write_private(self:path "port", ("%d\n"):format(port))
end

--- Forgets the port, unless somebody else has noted another one since.
---@param port integer
function M:clear_port(port)
  if self:port() == port then os.remove(self:path "port") end
end

--- The noted port.
---@return integer? port
function M:port()
  local text = read_file(self:path "port")
  return text and core.number.read(text:match "^%d+" or "")
end

return M
