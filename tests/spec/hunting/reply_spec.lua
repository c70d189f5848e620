-- The rows of a hunting query, by its schema.
-- Labels: not-lua5.3
local json = require "mde.base.json"
local replies = require "mde.hunting.reply"

local function read(text)
  local answer = assert(json.object(text))
  local ok, problem = replies.is_one(answer, text)
  if not ok then return nil, problem end
  return replies.read(answer)
end

describe("a hunting reply", function()
  it("has rows by the schema's names, whatever their case", function()
    local schema, rows = read [[{"schema":[{"Name":"DeviceId","Type":"String"},
      {"name":"IsAzureADJoined","type":"SByte"}],
      "results":[{"deviceId":"a","isAzureADJoined":1},{"DEVICEID":"b","IsAzureADJoined":0}]}]]
    assert.are.same({ { name = "DeviceId", type = "String" }, { name = "IsAzureADJoined", type = "SByte" } }, schema)
    assert.are.same({ { DeviceId = "a", IsAzureADJoined = true }, { DeviceId = "b", IsAzureADJoined = false } }, rows)
  end)

  it("makes nothing but 0 and 1 of an SByte true or false", function()
    local _, rows = read [[{"schema":[{"name":"a","type":"SByte"},{"name":"b","type":"Int64"}],
      "results":[{"a":2,"b":1},{"a":null,"b":0},{"a":true,"b":1},{"a":"1","b":1},{"a":-1}]}]]
    assert.are.same({ { a = 2, b = 1 }, { b = 0 }, { a = true, b = 1 }, { a = "1", b = 1 }, { a = -1 } }, rows)
  end)

  it("keeps times, texts of JSON and what is nested", function()
    local _, rows = read [=[{"schema":[{"name":"t","type":"DateTime"},{"name":"o","type":"Object"},
      {"name":"s","type":"String"}],
      "results":[{"t":"2026-11-20T02:44:50.7688641Z","o":[{"UserName":"a.o'brien"},["x"]],"s":"{\"k\":1}"}]}]=]
    assert.are.same({ { t = "2026-11-20T02:44:50.7688641Z", o = { { UserName = "a.o'brien" }, { "x" } },
      s = '{"k":1}' } }, rows)
  end)

  it("leaves nothing out that the schema does not name", function()
    local _, rows = read [[{"schema":[{"name":"a","type":"String"},{"name":"B","type":"String"},
      {"name":"b","type":"String"}],
      "results":[{"a":"1","A":"2","x":"3","B":"4","b":"5"}]}]]
    assert.are.same({ { a = "1", A = "2", x = "3", B = "4", b = "5" } }, rows)
  end)

  it("may have no rows", function()
    local schema, rows = read '{"schema":[{"name":"a","type":"String"}],"results":[]}'
    assert.are.same({ { { name = "a", type = "String" } }, {} }, { schema, rows })
  end)

  for text, problem in pairs {
    ['{"results":[]}'] = "no schema", ['{"schema":[{}],"results":[]}'] = "no schema",
    ['{"schema":[5],"results":[]}'] = "no schema", ['{"schema":[{"name":5,"type":"x"}],"results":[]}'] = "no schema",
    ['{"schema":[]}'] = "no list of results", ['{"schema":[],"results":{}}'] = "no list of results",
    ['{"schema":[],"results":[null]}'] = "row 1 is no object",
    ['{"schema":[],"results":[{},"x"]}'] = "row 2 is no object",
    ['{"Schema":[],"Results":[]}'] = "no schema",
  } do
    it("is not " .. text, function()
      local schema, why = read(text)
      assert.is_nil(schema)
      assert.is_truthy(why:find(problem, 1, true), why)
    end)
  end
end)
