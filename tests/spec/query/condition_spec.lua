-- One condition on one field: what it becomes in OData, and which operators a field knows.
-- Labels: not-lua5.3

local mde = require "mde"
local odata = require "tests.spec.support.odata"

local case = odata.tests_refusal

describe("a condition becomes OData:", function()
  odata.tests {
    { { riskScore = "High" }, "riskScore eq 'High'" },
    { { riskScore = mde.eq "High" }, "riskScore eq 'High'" },
    { { healthStatus = mde.ne "Active" }, "healthStatus ne 'Active'" },
    { { riskScore = { "High", "Medium" } }, "riskScore eq 'High' or riskScore eq 'Medium'" },
    { { riskScore = mde.any_of { "High", "High" } }, "riskScore eq 'High'" },
    { { riskScore = mde.ge "Medium" }, "riskScore eq 'Medium' or riskScore eq 'High'" },
    { { exposureLevel = mde.lt "Medium" }, "exposureLevel eq 'None' or exposureLevel eq 'Low'" },
    { { deviceValue = mde.gt "Low" }, "deviceValue eq 'Normal' or deviceValue eq 'High'" },
    { { riskScore = mde.between("Low", "Medium") }, "riskScore eq 'Low' or riskScore eq 'Medium'" },
    { { rbacGroupId = mde.between(1, 140) }, "(rbacGroupId ge 1 and rbacGroupId le 140)" },
    { { rbacGroupId = mde.ne(0) }, "rbacGroupId ne 0" },
  }
end)

describe("a condition is refused:", function()
  case("a tag without has", { machineTags = "tier0" }, "mde.eq cannot be asked of machineTags", "mde.has")
  case("has of a text", { osPlatform = mde.has "x" }, "mde.has cannot be asked of osPlatform")
  case("an order of texts", { version = mde.ge "22H2" }, "mde.ge cannot be asked of version", "in Lua")
  case("an order of what has none", { healthStatus = mde.gt "Active" }, "mde.gt cannot be asked of healthStatus")
  case("a part of a choice", { riskScore = mde.startswith "H" }, "mde.startswith cannot be asked of riskScore")
  case("more than the most", { riskScore = mde.gt "High" }, "no value lies there")
  case("a span the wrong way round", { lastSeen = mde.between("2026-02-01", "2026-01-01") }, "nothing lies between")
  case("levels the wrong way round", { riskScore = mde.between("High", "Low") }, "nothing lies between")
  case("a list in itself", (function()
    local list = {}
    list[1] = list
    return { riskScore = list }
  end)(), "lists in lists")
  case("an order of requestors", { requestor = mde.gt "a" }, "cannot be asked of requestor", "in Lua", "actions")
  case("a part of an action's id", { id = mde.startswith "17" }, "cannot be asked of id", "mde.eq, mde.ne", "actions")
end)
