--- origin: by what the settings were given, so that a hint names what is to be mended.
--
-- Hints name a setting by its variable of the environment. Where it came by an option, which has the same name in a
-- profile, or where a credential came from a file, that takes the variable's place.

local M = {}

-- What names the credential itself.
local of_credential = { "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE" }

--- What makes a hint name the settings of one client.
---@param given table<string, string> a variable, and what was given in its place
---@param credential? { source?: string, identity_source?: string } what it came from, and what names its identity
---@return fun(hint: string): string
function M.new(given, credential)
  local names, source = {}, credential and credential.source
  for variable, name in pairs(given) do names[variable] = name end
  for _, variable in ipairs(source and of_credential or {}) do names[variable] = source end
  names.AZURE_CLIENT_ID = credential and credential.identity_source or names.AZURE_CLIENT_ID
  local function renamed(text) return (text:gsub("[A-Z]+_[A-Z_]+", names)) end
  -- An error may pass here twice, and a source may have its variable in it.
  return function(hint)
    local parts, place = {}, 1
    local first, last = (source and hint or ""):find(source or "-", 1, true)
    while first do
      parts[#parts + 1] = renamed(hint:sub(place, first - 1)) .. source
      place = last + 1
      first, last = hint:find(source, place, true)
    end
    return table.concat(parts) .. renamed(hint:sub(place))
  end
end

return M
