--- group: the device groups of the tenant, as far as the service tells them: with the exposure of each.

local core = require "mde.core"
local details = require "mde.device.details"
local errors = require "mde.base.error"

local READ_SECONDS = 120
local PAGE_ROWS, MOST_PAGES = 1000, 20

local M = {}

---@class mde.DeviceGroup
---@field rbacGroupId? integer 0: devices that are in none
---@field rbacGroupName? string
---@field score? number its exposure, 0 to 100
---@field time? string when that was computed

--- All device groups.
---@param exchange mde.Exchange
---@param context mde.Context
---@return mde.DeviceGroup[]? groups
---@return mde.Error? err
function M.list(exchange, context)
  local groups = {}
  for page = 0, MOST_PAGES - 1 do
    local count
    local answer, err = exchange:call { method = "GET",
      path = ("/exposureScore/ByMachineGroups?$top=%d&$skip=%d"):format(PAGE_ROWS, page * PAGE_ROWS), kind = "read",
      api = "device_groups", permission = "Score.Read.All", context = context:within(READ_SECONDS),
      usable = function(list, text)
        -- Before rows that are none are taken out.
        count = core.json.list(text, "value")
        return details.is_list(list, text)
      end }
    if not answer then return nil, errors.about(err, "device groups") end
    for _, row in ipairs(answer.value) do groups[#groups + 1] = row end
    if count < PAGE_ROWS then return groups end
  end
  return nil, errors.about(errors.new { kind = "protocol", code = "pages_repeat",
    message = "the service repeats the same rows page after page", hint = "Try again later." }, "device groups")
end

return M
