--- collection: reads a whole OData collection, page by page.
--
-- The service's `$top` caps the result instead of setting a page size, and its next links have been
-- missing or mangled; so `$top` and `$skip` are stepped here and no link is followed. No order is
-- promised, so rows are told apart by their id.

local core = require "mde.core"

local PAGE = 10000
local PAGE_SECONDS = 120

local M = {}

local function lists(is_row)
  return function(answer)
    if type(answer.value) ~= "table" then return false, "it has no list of values" end
    for _, row in ipairs(answer.value) do
      if type(row) ~= "table" or type(row.id) ~= "string" then return false, "a row of the list has no id" end
      local ok, why = is_row(row)
      if not ok then return false, why end
    end
    return true
  end
end

--- All rows that a filter selects.
---@param exchange mde.Exchange
---@param set "machines"|"machineactions"
---@param filter string OData, not yet percent-encoded
---@param is_row fun(row: table): boolean, string? whether a row with an id is what was asked for, or why not
---@param deadline number by the driver's clock
---@return table[]? rows
---@return mde.Error? err
function M.read(exchange, set, filter, is_row, deadline)
  local rows, seen, skip = {}, {}, 0
  while true do
    local path = ("/%s?$filter=%s&$top=%d"):format(set, core.odata.encode(filter), PAGE)
    if skip > 0 then path = path .. ("&$skip=%d"):format(skip) end
    local answer, err = exchange:call {
      method = "GET", path = path, kind = "read", api = set, permission = "Machine.Read.All",
      deadline = deadline, seconds = PAGE_SECONDS, usable = lists(is_row),
    }
    -- The list of nothing is documented as 404 and has been seen as an empty list.
    if not answer and err.kind == "not_found" then return rows end
    if not answer then return nil, err end
    local fresh = 0
    for _, row in ipairs(answer.value) do
      if not seen[row.id] then
        seen[row.id] = true
        fresh = fresh + 1
        rows[#rows + 1] = row
      end
    end
    if #answer.value < PAGE or fresh == 0 then return rows end
    skip = skip + PAGE
  end
end

return M
