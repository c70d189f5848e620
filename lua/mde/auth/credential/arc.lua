--- credential.arc: the managed identity of a machine outside Azure that Azure Arc manages.
--
-- Its agent answers the first request with the path of a key file that only the machine's administrators and the
-- agent's group can read; a request with the file's content proves that its sender is one of them. A hostile
-- service in the agent's place could name any file, so the path is looked at before it is read.

local core = require "mde.core"
local endpoints = require "mde.auth.credential.identity_endpoint"
local errors = require "mde.base.error"
local posix = require "mde.posix"
local variables = require "mde.base.environment"

local URL = "http://127.0.0.1:40342/metadata/identity/oauth2/token"
local DIRECTORY = "/var/opt/azcmagent/tokens"
local MAX_KEY_BYTES = 4096
local NAMES = { client_id = "client_id", object_id = "object_id", resource_id = "msi_res_id" }

local M = {}

local failure = endpoints.failure("Azure Arc's agent", {
  absent = "Check that the agent runs on this machine: azcmagent show.",
  unassigned = "Connect the machine to Azure Arc; its identity is made then.",
  refused = "Check that the machine is connected (azcmagent show), and MDE_SCOPE.",
})

local function refuse(code, message, hint)
  return nil, errors.new { kind = "auth", code = code, message = message, hint = hint
    or "Something other than Azure Arc's agent may answer there: check IDENTITY_ENDPOINT." }
end

-- The path of the key file that the first answer names. The agent does not quote it, as a realm has to be.
local function key_path(self, response)
  local path = (response.headers["www-authenticate"] or ""):match '^%s*[Bb][Aa][Ss][Ii][Cc]%s+[Rr]ealm="?([^"]+)"?%s*$'
  if not path then return refuse("arc_challenge", "Azure Arc's agent asks for a proof and does not name a key file") end
  local directory, name = path:match "^(.*)/([^/]+)$"
  if directory ~= self.directory or not name:find "^[A-Za-z0-9_-][A-Za-z0-9._-]*%.key$" then
    return refuse("arc_challenge",
      ("Azure Arc's agent names %s, which is not a .key file directly in %s"):format(errors.quote(path),
      errors.show(self.directory)))
  end
  return path
end

local function read_key(path)
  local key, problem = posix.secret_file.read(path)
  if not key then
    return refuse("credential_unreadable", "the key file of Azure Arc's agent cannot be read: " .. errors.show(problem),
      "Run this as root, or as a member of the agent's group himds.")
  end
  local content = key:reveal()
  key:wipe()
  if #content > MAX_KEY_BYTES or core.text.has_control(content) then
    return refuse("arc_key_malformed",
      ("%s is no key file of Azure Arc's agent: it is longer than 4,096 bytes or has more than a line")
      :format(errors.quote(path)))
  end
  return content
end

local function ask(self, request)
  local call = { url = self.url, headers = { Metadata = "true" }, failure = failure,
    query = endpoints.query("2020-06-01", request, self.options, NAMES) }
  local answer, err = request:get(call)
  local response = request.info.response
  -- A token without a proof is one all the same; its giver has learnt nothing.
  if answer then return endpoints.check_identity(answer, self.options) end
  if not response or response.status ~= 401 then return nil, err end
  local path, key
  path, err = key_path(self, response)
  if not path then return nil, err end
  key, err = read_key(path)
  if not key then return nil, err end
  request:keep_secret(key)
  call.headers = { Metadata = "true", Authorization = "Basic " .. key }
  answer, err = request:get(call)
  if not answer then return nil, err end
  return endpoints.check_identity(answer, self.options)
end

local Arc = endpoints.class { kind = "arc", name = "Azure Arc", ask = ask }

---@param options mde.credential.ManagedIdentityOptions
---@return mde.Credential
function M.new(options)
  local url = variables.get "IDENTITY_ENDPOINT"
  url = url and endpoints.check_url(url, "IDENTITY_ENDPOINT") or URL
  return setmetatable({ kind = "managed identity", needs_application = false, options = options, url = url,
    directory = (options.tokens_directory or DIRECTORY):gsub("/+$", "") }, Arc)
end

return M
