-- Has the library see another environment than that of the process.
--
--   before_each(function() environment.set { AZURE_CLIENT_ID = "..." } end)
--   after_each(environment.restore)

local environment = {}

local getenv = os.getenv

--- From now on these variables are set, and no others.
---@param variables table<string, string> may be changed later
function environment.set(variables)
  os.getenv = function(name) return variables[name] end -- luacheck: ignore 122
end

--- The process has its own again.
function environment.restore()
  os.getenv = getenv -- luacheck: ignore 122
end

return environment
