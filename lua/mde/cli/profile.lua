--- profile: the settings of one of several tenants, by a name, from the user's configuration file.
--
--   [contoso]
--   tenant_id = 7e000000-0000-4000-8000-000000000001
--   client_id = c1000000-0000-4000-8000-000000000002
--   client_secret_file = /run/secrets/contoso
--   protect.tags = tier0, vip
--   cap = 50
--
-- The file says where a secret is, never what it is.

local core = require "mde.core"
local errors = require "mde.base.error"
local mde = require "mde"
local options_of = require "mde.base.options"
local posix = require "mde.posix"
local proxies = require "mde.base.proxy"
local variables = require "mde.base.environment"

local M = {}

M.explained = [[
A profile has settings of a tenant under a name, in $XDG_CONFIG_HOME/mde/config or else
~/.config/mde/config: below [NAME] lines like tenant_id = ..., client_id, cloud, authority, base_url,
scope, graph_url, graph_scope, store, proxy and ca_file; client_secret_file, client_certificate (with
send_certificate_chain = yes, for trust in its subject name) or managed_identity = yes; cap;
limits.per_minute and .per_hour, where the service allows other numbers of calls than 100 and 1500;
and protect.tags, .names, .device_values, .platforms (lists with commas) and .servers (yes or no). It
never has a secret's value. What it does not say comes from the environment.]]

-- ---- values

local function text(value)
  return value
end

-- An address, without the name and the password that one may have.
local function address(value, where)
  if value:find "@" then
    errors.invalid("profile_malformed", where .. " has a password, which does not belong into this file",
      "Nothing was done. Take it out and change it; https_proxy may have one.")
  end
  return value
end

local function proxy(value, where)
  proxies.read(address(value, where), where)
  return value
end

local function list(value)
  local items = {}
  for item in value:gmatch "[^,]+" do items[#items + 1] = core.text.trim(item) end
  return items
end

local flags = { yes = true, no = false, ["true"] = true, ["false"] = false }

local function flag(value, where)
  local wanted = flags[core.text.lower(value)]
  if wanted == nil then
    errors.invalid("wrong_value", ("%s must be yes or no, not %s"):format(where, errors.quote(value)),
      "Nothing was done.")
  end
  return wanted
end

local function count(value, where)
  local number = value:find "^%d+$" and core.number.read(value)
  if not number then
    errors.invalid("wrong_value", ("%s must be a whole number, not %s"):format(where, errors.quote(value)),
      "Nothing was done.")
  end
  return number
end

-- How each is read, and where it goes.
local settings = {
  tenant_id = text, client_id = text, cloud = text, authority = address, base_url = address, scope = text,
  graph_url = address, graph_scope = text, store = text, proxy = proxy, ca_file = text, cap = count,
  client_secret_file = text, client_certificate = text, managed_identity = flag,
  send_certificate_chain = flag, ["protect.tags"] = list, ["protect.names"] = list,
  ["protect.device_values"] = list, ["protect.platforms"] = list, ["protect.servers"] = flag,
  ["limits.per_minute"] = count, ["limits.per_hour"] = count,
}

local credentials = {
  client_secret_file = function(path) return mde.credential.secret_file(path) end,
  client_certificate = function(path, profile)
    return mde.credential.certificate { path = path, send_certificate_chain = profile.send_certificate_chain }
  end,
  managed_identity = function(wanted) return wanted and mde.credential.managed_identity() or nil end,
}

-- ---- the file

local function path_of_file()
  local base = variables.get "XDG_CONFIG_HOME"
  local home = variables.get "HOME"
  if not base and not home then
    errors.invalid("profile_unreadable",
      "there is no configuration file, since neither XDG_CONFIG_HOME nor HOME is set",
      "Set one of them, or leave out --profile and MDE_PROFILE.")
  end
  return (base or home .. "/.config") .. "/mde/config"
end

-- Its lines. Raises for a file that cannot be read, or that others could have written.
local function lines_of(path)
  local looked_at, flaw, remark, is_writable = posix.secret_file.read(path)
  local file, problem
  if looked_at then file, problem = io.open(path, "r") end
  if not file or is_writable then
    errors.invalid("profile_unreadable", ("the configuration file %s cannot be used: %s"):format(errors.quote(path),
      errors.show(is_writable and remark or problem or flaw)), not looked_at and remark
      or "Write it, for nobody but yourself to change, or leave out --profile and MDE_PROFILE.")
  end
  local lines = {}
  for line in file:lines() do lines[#lines + 1] = (line:gsub("\r$", "")) end
  file:close()
  -- Editors of Windows put a byte order mark in front.
  lines[1] = lines[1] and lines[1]:gsub("^\239\187\191", "")
  return lines
end

local function refuse(path, number, what, hint)
  errors.invalid("profile_malformed", ("line %d of %s: %s"):format(number, errors.show(path), what),
    hint or "Nothing was done.")
end

local function check_name(path, number, name)
  if settings[name] then return end
  local lower = core.text.lower(name)
  if lower:find "secret" or lower:find "password" or lower:find "token" or lower == "credential" then
    refuse(path, number, ("%s would be a secret, which does not belong into this file"):format(errors.quote(name)),
      "Nothing was done. Take it out, change the secret, and name a file that has it: client_secret_file = PATH.")
  end
  local near = options_of.nearest(name, settings)
  refuse(path, number, "there is no setting " .. errors.quote(name), near and ("Did you mean %q?"):format(near)
    or ("There are %s."):format(options_of.listed(settings)))
end

-- The settings of each profile, by name and by their own. What is wrong anywhere refuses the file.
local function read(path)
  local profiles, current = {}, nil
  for number, whole in ipairs(lines_of(path)) do
    local line = core.text.trim(whole)
    local name, value = line:match "^([A-Za-z0-9_.]+)%s*=%s*(.*)$"
    local heading = line:match "^%[([A-Za-z0-9._-]+)%]$"
    if heading then
      if profiles[heading] then refuse(path, number, "there is a second profile " .. errors.quote(heading)) end
      current = {}
      profiles[heading] = current
    elseif name then
      check_name(path, number, name)
      if not current then refuse(path, number, "a setting stands before the first [PROFILE]") end
      if value == "" then refuse(path, number, name .. " has no value") end
      if current[name] ~= nil then refuse(path, number, name .. " stands there twice") end
      current[name] = settings[name](value, ("line %d of %s: %s"):format(number, errors.show(path), name))
    elseif line ~= "" and not line:find "^[#;]" then
      refuse(path, number, "it is no [PROFILE], no NAME = VALUE and no # note")
    end
  end
  return profiles
end

-- ---- the whole

local function credential_of(profile, name)
  local named
  for key in pairs(credentials) do
    if profile[key] ~= nil and named then
      errors.invalid("profile_malformed", ("the profile %s has both %s and %s"):format(errors.quote(name), named, key),
        "Leave one of them.")
    end
    named = profile[key] ~= nil and key or named
  end
  if profile.send_certificate_chain ~= nil and named ~= "client_certificate" then
    errors.invalid("profile_malformed", ("the profile %s has send_certificate_chain without client_certificate")
      :format(errors.quote(name)), "Leave it out, or name the certificate.")
  end
  if not named then return nil end
  local setting = ("%s of the profile %s"):format(named, errors.quote(name))
  local credential = errors.under_name(setting, credentials[named], profile[named], profile)
  if credential and credential.source then credential.source = ("%s (%s)"):format(credential.source, setting) end
  return credential
end

--- Declares the option.
---@param command table of argparse
function M.configure(command)
  command:option("--profile", "The settings of a tenant, by their name in the configuration file; default MDE_PROFILE.")
    :argname "<name>":overwrite(false)
end

--- The names of all profiles, in order; raises for a file that cannot be used.
---@return string[]
function M.names()
  local names = {}
  for name in pairs(read(path_of_file())) do names[#names + 1] = name end
  table.sort(names, core.text.before)
  return names
end

--- What a profile says, as options of a client. Raises for one that does not exist or cannot be used.
---@param name string? as --profile has it; nil: MDE_PROFILE, or none
---@return mde.ClientOptions options
---@return string? name
---@return string? path of the file
function M.options(name)
  if name == "" then errors.invalid("empty_text", "--profile is empty; an empty shell variable?", "Name a profile.") end
  name = name or variables.get "MDE_PROFILE"
  if not name then return {}, nil end
  local path = path_of_file()
  local profiles = read(path)
  local profile = profiles[name]
  if not profile then
    local near = options_of.nearest(name, profiles)
    errors.invalid("unknown_profile", ("%s has no profile %s"):format(errors.show(path), errors.quote(name)),
      near and ("Did you mean %q?"):format(near)
      or next(profiles) and ("There are %s."):format(options_of.listed(profiles)) or "It has none.")
  end
  local options = { credential = credential_of(profile, name) }
  for key, value in pairs(profile) do
    local group, member = key:match "^(.*)%.(.*)$"
    if group then
      options[group] = options[group] or {}
      options[group][member] = value
    elseif not credentials[key] and key ~= "send_certificate_chain" then
      options[key] = value
    end
  end
  return options, name, path
end

return M
