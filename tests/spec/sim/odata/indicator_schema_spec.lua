-- The record of an indicator.
-- Labels: only-lua5.4
local indicator_schema = require "mde.sim.odata.indicator_schema"

it("an indicator is filtered by what the service filters by", function()
  local filterable = {}
  for _, one in ipairs(indicator_schema.indicator.list) do
    if one.filterable then filterable[#filterable + 1] = one.name end
  end
  assert.equal("indicatorValue indicatorType action createdBy createdByDisplayName severity application title "
    .. "creationTimeDateTimeUtc expirationTime rbacGroupNames generateAlert", table.concat(filterable, " "))
end)
