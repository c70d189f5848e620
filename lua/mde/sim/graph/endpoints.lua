-- What Microsoft Graph has: the one place to add to. Each file of an endpoint is a list of rows, and is named below.

---@class mde.sim.graph.endpoint
---@field method "GET"|"POST"|"PATCH"
---@field path string[] after /v1.0, in small letters; * stands for an id, which is taken as it is
---@field roles string[] each of which is enough
---@field api string which calls are counted together
---@field per_minute integer how many of these are allowed
---@field options? string[] the query options that it takes; every other one is refused
---@field run fun(tenant: mde.sim.tenant, request: table, grant: table, id: string?, options: table<string, string>):
--- table the answer; `options` are those of the query, decoded

local files = {
  "mde.sim.graph.alerts",
  "mde.sim.graph.hunting",
  "mde.sim.graph.incidents",
}

---@type mde.sim.graph.endpoint[]
local M = {}

for _, file in ipairs(files) do
  for _, row in ipairs(require(file)) do M[#M + 1] = row end
end

return M
