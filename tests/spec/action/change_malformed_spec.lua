-- One malformed row costs that row at most: whatever one action or machine of the tenant looks like, the others are
-- contained; and a list that has a row which cannot be identified never says that nothing was executed, or what holds.
-- Labels: not-lua5.3

local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"

local function id(n) return ("%040x"):format(0xa00 + n) end

local OURS, OTHER = id(1), id(2)

-- What a value becomes in the text of a row: of its comment, or of a further field.
local malformed = {
  ["half of a surrogate pair"] = { "%1on the phone \\ud83d\"" },
  ["an escape that there is not"] = { "%1C:\\Users\\x41\"" },
  ["a NUL"] = { "%1a\0b\"" },
  ["bytes of Latin-1"] = { "%1Gesch\228ft\"" },
  ["an encoded surrogate"] = { "%1\237\160\189\"" },
  ["a number for a text"] = { '"requestorComment":4711' },
  ["an object for a text"] = { '"requestorComment":{"a":["b"]}' },
  ["true for a text"] = { '"requestorComment":true' },
  ["1e999"] = { '%1x","odd":1e999' },
  ["NaN"] = { '%1x","odd":NaN' },
  ["-Infinity in a list"] = { '%1x","odd":[1,-Infinity]' },
  ["a number with a zero before it"] = { '%1x","odd":007' },
  ["65 levels"] = { '%1x","odd":' .. ("["):rep(65) .. ("]"):rep(65) },
  ["3,000 levels"] = { '%1x","odd":' .. ("[{\"a\":"):rep(1500) .. "0" .. ("}]"):rep(1500) },
  ["a word that is no value"] = { '%1x","odd":undefined' },
}

describe("one malformed row", function()
  local r, rewritten

  -- Rewrites one row, told by its id, in the lists of a set.
  local function rewrite(set, row_id, pattern, replacement)
    local send = r.driver.send
    rewritten = 0
    function r.driver.send(request)
      local response, message, maybe_sent, code = send(request)
      if response and request.url:find("/" .. set .. "?", 1, true) then
        local before, rows = response.body:match '^(.-"value":%[)(.*)$'
        response.body = before .. rows:gsub("%b{}", function(row)
          if not row:find('"id":"' .. row_id, 1, true) then return nil end
          rewritten = rewritten + 1
          return (row:gsub(pattern, replacement, 1))
        end)
      end
      return response, message, maybe_sent, code
    end
  end

  local function begin(options)
    local client = { cap = 2, timeout = 60 }
    for name, value in pairs(options or {}) do client[name] = value end
    r = rehearsal.new { client = client, machines = {
      { id = OURS, computerDnsName = "ours.corp.example" }, { id = OTHER, computerDnsName = "other.corp.example" },
      { id = id(3), computerDnsName = "third.corp.example" },
      { id = id(4), computerDnsName = "fourth.corp.example" } } }
  end

  before_each(function() begin() end)

  describe("in a list of actions", function()
    local past

    before_each(function()
      past = r:past(OTHER, "restrict", "Succeeded", 600, { requestorComment = "beacon [mde:INC-7:operation-7]" })
    end)

    for what, case in pairs(malformed) do
      it("stops nobody, and costs one value: " .. what, function()
        rewrite("machineactions", past.id, '("requestorComment":")[^"]*"', case[1])
        assert.equal("accepted", assert(r.client:restrict("ours", "why", { incident = "INC-1" })).outcome)
        local held = assert(r.client:restricted { incident = "INC-1" })
        assert.equal(OURS, held[1].id)
        assert.equal("restricted", (assert(r.client:state "other")))
        assert.equal("restricting", r.client:states({ "ours", "other" })[1].value)
        local count = 0
        for _ in r.client:actions "all" do count = count + 1 end
        assert.equal(2, count)
        assert.equal(1, #assert(r.client:report { incident = "INC-1" }))
        assert.is_true(rewritten > 3)
      end)
    end

    it("that is our own is still counted, and found again", function()
      begin { cap = 2 }
      local own = r:past(id(3), "restrict", "Pending", 60, { requestorComment = "x [mde:INC-9:operation-9]" })
      rewrite("machineactions", own.id, '"requestor":"[^"]*"', '"requestor":"\\ud83d","odd":1e999')
      assert.equal(1, #assert(r.client:restricted { incident = "INC-9" }))
      assert(r.client:restrict("ours", "why"))
      assert.equal("cap", select(2, r.client:restrict("fourth", "why")).rule)
    end)

    for what, case in pairs {
      ["null"] = { "^.*$", "null" }, ["a text"] = { "^.*$", '"row"' }, ["no id"] = { '"id":"[^"]*",', "" },
      ["an id that is a number"] = { '"id":"[^"]*"', '"id":17' },
      ["an id that is null"] = { '"id":"[^"]*"', '"id":null' },
      ["a blank id"] = { '"id":"[^"]*"', '"id":" "' },
      ["the empty GUID"] = { '"id":"[^"]*"', '"id":"00000000-0000-0000-0000-000000000000"' },
      ["a blank type"] = { '"type":"[^"]*"', '"type":""' },
      ["a type with half of a pair"] = { '"type":"', '%0\\ud83d' },
    } do
      it("counts as one against the cap, and stops nobody: " .. what, function()
        rewrite("machineactions", past.id, case[1], case[2])
        assert.equal("accepted", assert(r.client:restrict("ours", "why")).outcome)
        assert.equal("cap", select(2, r.client:restrict("fourth", "why")).rule)
        assert.equal("restricting", (assert(r.client:state "ours")))
        assert.equal("list_incomplete", select(2, r.client:state "other").code)
        assert.same({ "restrictCodeExecution" }, r:posts())
      end)
    end

    it("without an id says nothing of its machine, and costs many others no request", function()
      begin { cap = false }
      local names = {}
      for i = 1, 20 do
        r.tenant:adopt_machine({ id = id(100 + i), computerDnsName = ("seat-%d.corp.example"):format(i),
          osPlatform = "Windows11" }, 1)
        names[i] = id(100 + i)
      end
      past = r:past(OTHER, "restrict", "Succeeded", 600)
      rewrite("machineactions", past.id, "^.*$", "null")
      local warned = 0
      r.client.exchange.trace.tell = function(_, event) warned = warned + (event.event == "warning" and 1 or 0) end
      local results = r.client:each(names, function(name) return r.client:restrict(name, "why") end)
      assert.equal(0, results.failed, tostring(results[1].err))
      assert(#r:requests() <= 20 + 20 + 2, #r:requests())
      for action in r.client:actions "all" do assert.truthy(action.id) end
      assert.equal(1, warned)
    end)
  end)

  describe("without an id in a device's own list", function()
    local function lose_id(verb, status, fields)
      local past = r:past(OURS, verb, status, 600, fields)
      rewrite("machineactions", past.id, '"id":"[^"]*",', "")
    end

    it("never means that it is released, or not restricted", function()
      for _, verb in ipairs { "restrict", "release" } do
        begin()
        r:past(OURS, verb == "restrict" and "release" or "restrict", "Succeeded", 900)
        lose_id(verb, "Succeeded")
        local state, err = r.client:state "ours"
        assert.is_nil(state)
        assert.equal("list_incomplete", err.code)
        assert.equal("list_incomplete", r.client:states({ "ours", "third" })[1].err.code)
        assert.equal("none", r.client:states({ "ours", "third" })[2].value)
      end
    end)

    it("never means that it is released, or not restricted, where several share one", function()
      for _, verb in ipairs { "restrict", "release" } do
        begin()
        r:past(OURS, verb, "Succeeded", 600)
        r:past(OURS, verb == "restrict" and "release" or "restrict", "Succeeded", 900)
        local send = r.driver.send
        function r.driver.send(request)
          local response, message, maybe_sent, code = send(request)
          if response and request.url:find("/machineactions?", 1, true) then
            -- The older one comes first, too.
            response.body = response.body:gsub("(%b{}),(%b{})", "%1,%2,%2,%1"):gsub('"id":"[^"]*"', '"id":"17"')
          end
          return response, message, maybe_sent, code
        end
        assert.equal("list_incomplete", select(2, r.client:state "ours").code)
        assert.equal("accepted", assert(r.client:restrict("ours", "why")).outcome)
      end
    end)

    it("does not keep it from being restricted or released", function()
      for _, verb in ipairs { "restrict", "release" } do
        begin()
        r:past(OURS, verb, "Succeeded", 900)
        lose_id(verb == "restrict" and "release" or "restrict", "Succeeded")
        assert.equal("accepted", assert(r.client[verb](r.client, "ours", "why")).outcome)
      end
    end)

    it("is nobody who holds the device already", function()
      lose_id("release", "Succeeded")
      assert.is_nil(assert(r.client:restrict("ours", "why", { incident = "INC-1" })).also_held)
    end)

    it("keeps what rests on what was done before from being sent", function()
      lose_id("restrict", "Succeeded", { requestorComment = "x [mde:alert-4711]" })
      local action, err = r.client:restrict("ours", "x", { key = "alert-4711" })
      assert.is_nil(action)
      assert.same({ "unavailable", "list_incomplete" }, { err.kind, err.code })
      err = select(2, r.client:restrict("ours", "x", { decided_at = r.tenant.clock.now() - 60 }))
      assert.equal("list_incomplete", err.code)
      assert.same({}, r:posts())
    end)

    it("never means that a lost send was not executed", function()
      r:fault { match = { path = "restrictCodeExecution" }, fault = "gone" }
      local send = r.driver.send
      function r.driver.send(request)
        local response, message, maybe_sent, code = send(request)
        if response and request.url:find("/machineactions?", 1, true) then
          response.body = response.body:gsub('"id":"[^"]*",', "")
        end
        return response, message, maybe_sent, code
      end
      local _, err = r.client:restrict("ours", "why")
      assert.equal("unknown", err.kind)
      assert.matches("does not say which it is", err.message)
      assert.same({ "restrictCodeExecution" }, r:posts())
      local found, problem = r.client:find_action(err)
      assert.is_nil(found)
      assert.same({ "unknown", "list_incomplete" }, { problem.kind, problem.code })
    end)

    it("leaves open in a report whether it is restricted, whatever the status", function()
      for _, pattern in ipairs { '"status":"[^"]*",', "^$" } do
        begin()
        r:past(OURS, "restrict", "Succeeded", 900, { requestorComment = "x [mde:INC-1:operation-1]" })
        local lost = r:past(OURS, "release", "Succeeded", 600)
        rewrite("machineactions", lost.id, pattern, "")
        rewrite("machineactions", lost.id, '"id":"[^"]*",', "")
        local device = assert(r.client:report { incident = "INC-1" })[1]
        assert.same({ restricted = nil, state = nil }, { restricted = device.restricted, state = device.state })
      end
    end)

    it("is left to others by the release of an incident", function()
      r:past(OURS, "restrict", "Succeeded", 900, { requestorComment = "x [mde:INC-1:operation-1]" })
      lose_id("restrict", "Succeeded")
      local held = assert(r.client:restricted { incident = "INC-1" })
      assert.equal(0, #held)
      assert.same({ "an action that cannot be identified" }, held.shared[1].incidents)
      assert.same({ "an action that cannot be identified" },
        r.client:holders({ OURS }, { incident = "INC-1" })[1].value)
      assert.equal(1, #assert(r.client:report { incident = "INC-1" }))
    end)
  end)

  describe("in a list of machines", function()
    for what, case in pairs {
      ["a name that is a number"] = { '"computerDnsName":"[^"]*"', '"computerDnsName":17' },
      ["a name that is an object"] = { '"computerDnsName":"[^"]*"', '"computerDnsName":{}' },
      ["a name with half a pair"] = { '("computerDnsName":")', "%1\\ude00" },
      ["1e999"] = { '"osPlatform"', '"odd":1e999,"osPlatform"' },
      ["an id that is none"] = { '"id":"[^"]*"', '"id":"?"' },
      ["null"] = { "^.*$", "null" },
      ["65 levels"] = { '"osPlatform"', '"odd":' .. ("["):rep(65) .. ("]"):rep(65) .. ',"osPlatform"' },
    } do
      it("stops no other: " .. what, function()
        rewrite("machines", OTHER, case[1], case[2])
        -- In another spelling, so that all are read.
        assert.equal(OURS, assert(r.client:machine "OURS").id)
        assert.equal(OURS, assert(r.client:machine "ours").id)
        local results = r.client:resolve { "ours", "third", "fourth" }
        assert.equal(0, results.failed)
        local count = 0
        for _ in r.client:machines { computerDnsName = mde.endswith "corp.example" } do count = count + 1 end
        assert.is_true(count >= 3)
      end)
    end

    it("without an id is not the one that is meant, and not nothing", function()
      rewrite("machines", OTHER, '"id":"[^"]*"', '"id":7')
      for _, name in ipairs { "other", "other.corp.example", "OTHER" } do
        local machine, err = r.client:machine(name)
        assert.is_nil(machine)
        assert.same({ "protocol", "record_unidentified" }, { err.kind, err.code })
        assert.equal("record_unidentified", select(2, r.client:restrict(name, "why")).code)
      end
      local results = r.client:resolve { "ours", "other" }
      assert.equal(OURS, results[1].value.id)
      assert.equal("record_unidentified", results[2].err.code)
      assert.same({}, r:posts())
    end)

    it("that was merged into what is no text is not the one that is meant", function()
      for _, odd in ipairs { "{}", "17", "true", "[]" } do
        begin()
        rewrite("machines", OTHER, '"mergedIntoMachineId":null', '"mergedIntoMachineId":' .. odd)
        local action, err = r.client:restrict("other", "why")
        assert.is_nil(action)
        assert.same({ "not_found", "device_merged" }, { err.kind, err.code })
        assert.is_true(rewritten > 0)
        assert.equal(0, #r:posts())
      end
    end)

    it("that says nothing at all in the answer to several questions leaves none of them without a machine", function()
      local entra = "17171717-0000-4000-8000-000000000017"
      r.tenant:adopt_machine({ id = id(5), computerDnsName = "fifth.corp.example", osPlatform = "Windows11",
        aadDeviceId = entra }, 1)
      local send = r.driver.send
      function r.driver.send(request)
        local response, message, maybe_sent, code = send(request)
        if response and request.url:find("/machines?$filter", 1, true) then
          response.body = response.body:gsub('("value":%[).*(%])', "%1null%2")
        end
        return response, message, maybe_sent, code
      end
      local results = r.client:resolve { "ours", entra }
      assert.equal(0, results.failed, tostring(results[2].err))
      assert.equal(id(5), results[2].value.id)
    end)

    it("is protected by every text among its tags", function()
      for _, tags in ipairs { '"tier0"', '{"a":["tier0"]}', '["vip",7,"tier0"]' } do
        begin { protect = { tags = { "tier0" } } }
        rewrite("machines", OTHER, '"machineTags":%[[^%]]*%]', '"machineTags":' .. tags)
        local _, err = r.client:restrict("other", "why")
        assert.same({ "protected", "tags" }, { err.kind, err.rule })
      end
    end)
  end)
end)
