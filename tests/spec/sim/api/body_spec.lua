-- The body of a request: JSON, and the members that its operation has.
-- Labels: only-lua5.4
local body = require "mde.sim.api.body"
local caller = require "tests.spec.support.caller"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local laptop = "1f00000000000000000000000000000000000017"
local restrict = ("machines/%s/restrictCodeExecution"):format(laptop)
local release = ("machines/%s/unrestrictCodeExecution"):format(laptop)
local comment = { Comment = "because" }

local refused = caller.refused

describe("a body", function()
  local tenant, client

  before_each(function()
    tenant = sim.new { start = 1770113472 + 0.3456789 }
    client = caller.new(tenant)
  end)

  local bad_bodies = {
    { "no Comment", "{}", "MissingRequiredParameter" },
    { "an empty Comment", '{"Comment":""}', "MissingRequiredParameter" },
    { "a null Comment", '{"Comment":null}', "MissingRequiredParameter" },
    { "Comment in the wrong case", '{"comment":"x"}', "MissingRequiredParameter" },
    { "a Comment that is no text", '{"Comment":5}', "InvalidRequestBody" },
    { "no JSON", "Comment=x", "InvalidRequestBody" },
    { "no object", '["Comment"]', "InvalidRequestBody" },
    { "nothing", "", "InvalidRequestBody" },
    { "no UTF-8", '{"Comment":"\255"}', "InvalidRequestBody" },
    { "a blank Comment", '{"Comment":" \\t\\n "}', "MissingRequiredParameter" },
    { "what is no parameter", '{"Comment":"x","Reason":"y"}', "InvalidRequestBody" },
    { "Comment in two cases", '{"Comment":"x","comment":"y"}', "InvalidRequestBody" },
    { "what is no parameter, and null", '{"Comment":"x","Reason":null}', "InvalidRequestBody" },
    { "a raw line break in a text", '{"Comment":"a\nb"}', "InvalidRequestBody" },
    { "a raw tab in a text", '{"Comment":"a\\\\\tb"}', "InvalidRequestBody" },
    { "more than one object", '{"Comment":"x"}{}', "InvalidRequestBody" },
    { "half a surrogate pair", '{"Comment":"\\ud800"}', "InvalidRequestBody" },
    { "a surrogate in UTF-8", '{"Comment":"\237\160\128"}', "InvalidRequestBody" },
  }
  for _, case in ipairs(bad_bodies) do
    it("refuses a body with " .. case[1], function()
      refused(400, case[3], client:post(restrict, case[2]))
      assert.same({}, tenant.actions)
    end)
  end

  it("insists on JSON", function()
    for _, content_type in ipairs { "text/plain", "application/x-www-form-urlencoded", "application/jsonx",
        "application/json; charset=iso-8859-1", "application/json, text/plain", false } do
      local response = client:call("POST", restrict, comment, { ["Content-Type"] = content_type })
      assert.equal(415, response.status)
    end
    local response = client:call("POST", restrict, comment, { ["Content-Type"] = "Application/JSON; charset=utf-8" })
    assert.equal(201, response.status)
    response = client:call("POST", release, '{\n\t"Comment" : "a \\"b\\" \\\\" }\r\n',
      { ["Content-Type"] = 'application/json;odata.metadata=minimal;charset="utf-8"' })
    assert.equal(201, response.status)
  end)

  ---- members

  local fields = {
    { name = "Comment", required = true, kind = "text" },
    { name = "Kind", required = false, kind = "value", values = { "One", "Two" }, default = "Two" },
    { name = "Sha1", required = false, kind = "sha1" },
    { name = "MachineIds", required = false, kind = "ids", most = 3 },
  }

  local function read(text)
    local members, response = body.read(tenant, { headers = { ["content-type"] = "application/json" }, body = text },
      fields)
    return members, response and json.decode(response.body).error.code
  end

  it("has what it says, and what is usual where it says nothing", function()
    assert.same({ Comment = " x ", Kind = "Two" }, read '{"Comment":" x "}')
    local sha1 = ("aF09"):rep(10)
    assert.same({ Comment = "x", Kind = "One", Sha1 = sha1, MachineIds = { "a", "a", "b" } },
      read(('{"MachineIds":["a","a","b"],"Sha1":"%s","Kind":"One","Comment":"x"}'):format(sha1)))
  end)

  for _, case in ipairs {
    { '"Kind":"one"', "InvalidInput" }, { '"Kind":null', "InvalidRequestBody" }, { '"Kind":"One "', "InvalidInput" },
    { '"kind":"One"', "InvalidRequestBody" }, { '"Sha1":""', "InvalidHashValue" },
    { '"Sha1":"' .. ("0"):rep(39) .. '\\n"', "InvalidHashValue" }, { '"Sha1":true', "InvalidRequestBody" },
    { '"MachineIds":"a"', "InvalidRequestBody" }, { '"MachineIds":[]', "MissingRequiredParameter" },
    { '"MachineIds":["a",5]', "InvalidRequestBody" }, { '"MachineIds":["a",null]', "InvalidRequestBody" },
    { '"MachineIds":{"a":"b"}', "InvalidRequestBody" },
    { '"MachineIds":["a","b","c","d"]', "MaximumBatchSizeExceeded" },
  } do
    it("is refused with " .. case[1], function()
      local members, code = read('{"Comment":"x",' .. case[1] .. "}")
      assert.is_nil(members)
      assert.equal(case[2], code)
    end)
  end
end)
