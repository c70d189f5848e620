-- A whole collection, page by page. The pages here are made up; the exchange is a list of answers.

local collection = require "mde.collection"
local errors = require "mde.error"
local rehearsal = require "tests.spec.support.rehearsal"

local function any()
  return true
end

describe("a collection", function()
  local calls

  -- An exchange that answers from a function of $skip.
  local function exchange(answer)
    calls = {}
    return { call = function(_, call)
      calls[#calls + 1] = call
      local value, err = answer(tonumber(call.path:match "%$skip=(%d+)") or 0)
      if value then
        local ok, why = call.usable(value)
        if not ok then return nil, errors.new { kind = "protocol", message = why } end
      end
      return value, err
    end }
  end

  local function page(first, last)
    local rows = {}
    for i = first, last do rows[#rows + 1] = { id = ("row %d"):format(i) } end
    return { value = rows }
  end

  it("of one page is asked for once", function()
    local rows = assert(collection.read(exchange(function() return page(1, 3) end), "machines", "a eq 'b'", any, 99))
    assert.equal(3, #rows)
    assert.equal(1, #calls)
    assert.equal("/machines?$filter=a%20eq%20%27b%27&$top=10000", calls[1].path)
    assert.equal(99, calls[1].deadline)
    assert.equal("read", calls[1].kind)
  end)

  it("escapes the whole filter", function()
    assert(collection.read(exchange(function() return page(1, 0) end), "machines", "x' &$top=1#%\195\188+", any, 1))
    assert.equal("/machines?$filter=x%27%20%26%24top%3D1%23%25%C3%BC%2B&$top=10000", calls[1].path)
  end)

  it("of several pages is asked for until one is not full", function()
    local rows = assert(collection.read(exchange(function(skip)
      return page(skip + 1, math.min(skip + 10000, 20001))
    end), "machineactions", "f", any, 1))
    assert.equal(20001, #rows)
    assert.equal("row 20001", rows[20001].id)
    assert.equal(3, #calls)
    assert.truthy(calls[3].path:find("&$skip=20000", 1, true))
  end)

  it("whose pages overlap has every row once", function()
    local rows = assert(collection.read(exchange(function(skip)
      return skip == 0 and page(1, 10000) or page(9991, 10010)
    end), "machines", "f", any, 1))
    assert.equal(10010, #rows)
  end)

  it("whose pages repeat for ever comes to an end", function()
    local rows = assert(collection.read(exchange(function() return page(1, 10000) end), "machines", "f", any, 1))
    assert.equal(10000, #rows)
    assert.equal(2, #calls)
  end)

  it("follows no link", function()
    assert(collection.read(exchange(function()
      local answer = page(1, 1)
      answer["@odata.nextLink"] = "https://elsewhere.example/api/machines"
      return answer
    end), "machines", "f", any, 1))
    assert.equal(1, #calls)
  end)

  it("of nothing is empty, also where the service calls that not found", function()
    local nothing = errors.new { kind = "not_found", message = "none" }
    assert.same({}, collection.read(exchange(function() return page(1, 0) end), "machines", "f", any, 1))
    assert.same({}, collection.read(exchange(function() return nil, nothing end), "machines", "f", any, 1))
  end)

  it("is an error if any of its pages is", function()
    local down = errors.new { kind = "unavailable", message = "down" }
    local rows, err = collection.read(exchange(function(skip)
      if skip > 0 then return nil, down end
      return page(1, 10000)
    end), "machines", "f", any, 1)
    assert.is_nil(rows)
    assert.equal(down, err)
  end)

  for what, answer in pairs {
    ["no list"] = {}, ["a text for a list"] = { value = "none" }, ["a row that is none"] = { value = { "row" } },
    ["a row without an id"] = { value = { { id = "a" }, { name = "b" } } },
    ["a row whose id is a number"] = { value = { { id = 1 } } },
  } do
    it("makes no sense with " .. what, function()
      local rows, err = collection.read(exchange(function() return answer end), "machines", "f", any, 1)
      assert.is_nil(rows)
      assert.equal("protocol", err.kind)
    end)
  end

  it("makes no sense with a row that is not what was asked for", function()
    local rows, err = collection.read(exchange(function() return page(1, 3) end), "machines", "f", function(row)
      return row.id ~= "row 3", "row 3 is odd"
    end, 1)
    assert.is_nil(rows)
    assert.equal("row 3 is odd", err.message)
  end)

  it("is read from a tenant with more rows than a page holds", function()
    local r = rehearsal.new { machines = {} }
    r.tenant:set { limits = false }
    for i = 1, 10001 do
      r.tenant:put_machine { id = ("%040x"):format(i), computerDnsName = "desk" }
    end
    local rows = assert(collection.read(r.client.exchange, "machines", "computerDnsName eq 'desk'", any, math.huge))
    assert.equal(10001, #rows)
    assert.equal(2, #r:requests())
  end)
end)
