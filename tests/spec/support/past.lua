-- Twelve devices, desk-01 to desk-12, and what happened to them, for what is told of incidents afterwards.
--
--   local r = past.rehearsal()
--   past.happened(r, 3, { "restrict", "Succeeded", 100, "INC-1" })
--   assert.equal("03", past.names(assert(r.client:restricted { incident = "INC-1" })))

local rehearsal = require "tests.spec.support.rehearsal"

local past = {}

--- The id of one of them.
---@param number integer
---@return string
function past.id(number)
  return ("%040x"):format(0xa0000 + number)
end

---@return tests.Rehearsal
function past.rehearsal()
  local machines = {}
  for i = 1, 12 do machines[i] = { id = past.id(i), computerDnsName = ("desk-%02d.corp.example"):format(i) } end
  return rehearsal.new { machines = machines, limits = false, client = { cap = false } }
end

--- Puts an action there.
---@param r tests.Rehearsal
---@param number integer of the device
---@param action table verb, status, seconds ago, incident or whole comment (default one by hand), more fields
---@return table action
function past.happened(r, number, action)
  local verb, status, ago, comment = action[1], action[2], action[3], action[4] or "from the portal"
  if not comment:find "%s" then comment = ("why [mde:%s:operation-%d-%d]"):format(comment, number, ago) end
  local fields = { requestorComment = comment }
  for name, value in pairs(action[5] or {}) do fields[name] = value end
  return r:past(past.id(number), verb, status, ago, fields)
end

--- The numbers of the devices in a list: "01 03".
---@param list { computerDnsName: string }[]
---@return string
function past.names(list)
  local found = {}
  for i, device in ipairs(list) do found[i] = device.computerDnsName:match "desk%-(%d+)" end
  return table.concat(found, " ")
end

return past
