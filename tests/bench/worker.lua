-- What the benchmark runs inside nginx: restricts machines over nginx's own sockets, or with calls that block, and
-- tells how far it is. As in client.lua nothing is guarded and nothing is looked at.

local curl = require "mde.driver.curl"
local mde = require "mde"
local resty = require "mde.driver.resty"

local M = {}

local clients, begun, ended = {}, 0, 0

---@param base string
---@param ca_file string
function M.start(base, ca_file)
  -- Without spawn: a driver that only sends.
  local blocking = { send = curl.new({ ca_file = ca_file, proxy = "" }).send }
  local drivers = { cosocket = resty.new(), blocking = blocking }
  for name, driver in pairs(drivers) do
    clients[name] = mde.client {
      tenant_id = "00000000-0000-4000-8000-000000000001",
      client_id = "00000000-0000-4000-8000-000000000002",
      credential = "not a real secret",
      authority = base,
      base_url = base,
      driver = driver,
      protect = { servers = false, device_values = {} },
      cap = false,
      limits = false,
    }
  end
end

--- Restricts the next machine. Raises if that fails.
---@param name "cosocket"|"blocking"
function M.restrict(name)
  begun = begun + 1
  local action, err = clients[name]:restrict(("%040x"):format(begun), "benchmark of one action", { look = false })
  ended = ended + 1
  if not action then error(tostring(err), 0) end
end

--- How many restricts were begun, how many have ended, and the seconds of CPU time of this worker.
---@return string
function M.state()
  return ("%d %d %.6f"):format(begun, ended, os.clock())
end

return M
