-- meanwhile: what somebody decided while the question stood.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

local function id(number) return ("%040x"):format(0xa0000 + number) end

describe("while a question stands", function()
  local r

  before_each(function()
    local machines = {}
    for i = 1, 30 do machines[i] = { id = id(i), computerDnsName = ("desk-%02d.corp.example"):format(i) } end
    r = rehearsal.new { limits = false, machines = machines, client = { cap = false } }
  end)

  -- Runs it, and answers after so much was done by others.
  local function run(words, act, answer)
    words[#words + 1], words[#words + 2] = "--comment", "why"
    return console.run(words, { client = r.client, columns = 80, answers = { function()
      act()
      return answer or "y"
    end } })
  end

  local function one_line(text) return (text:gsub("%s+", " ")) end

  it("a colleague may release what was to be restricted", function()
    r:past(id(1), "release", "Succeeded", 600, { requestor = "a.colleague@corp.example" })
    local told = run({ "restrict", "desk-01", "desk-02" }, function()
      r.driver.sleep(100)
      r:past(id(1), "restrict", "Succeeded", 50)
      r:past(id(1), "release", "Succeeded", 20, { requestor = "another@corp.example" })
    end)
    assert.equal(2, told.status, told.err)
    local text = one_line(told.err)
    assert.matches("Note: desk%-01%.corp%.example was released 10m ago by a%.colleague@corp%.example; the restriction "
      .. "goes against that%. Tenant .* Restrict these 2", text)
    assert.matches('restrict "desk%-01%.corp%.example": nothing was sent; while the question stood, '
      .. "another@corp%.example made the opposite action ", text)
    assert.matches("2 devices: 1 accepted, 1 left%.", text)
    assert.same({ "restrictCodeExecution" }, r:posts())
    assert.matches("^desk%-02", told.out)
  end)

  it("a colleague may restrict what was to be released", function()
    assert(r.client:restrict(id(1), "beacon", { incident = "INC-1" })):wait()
    r.driver.sleep(5)
    local told = run({ "release", "desk-01", "--incident", "INC-1" }, function()
      r.driver.sleep(10)
      r:past(id(1), "restrict", "Pending", 5, { requestor = "a.colleague@corp.example" })
    end)
    assert.equal(2, told.status, told.err)
    assert.matches("while the question stood, a%.colleague@corp%.example made", one_line(told.err))
    assert.same({ "restrictCodeExecution" }, r:posts())
  end)

  it("somebody may do it to a device that the list of all does not name: its own list does", function()
    local told = run({ "release", "desk-01", "desk-02", "desk-03", "--incident", "INC-1" }, function()
      r.driver.sleep(10)
      local lost = r:past(id(2), "restrict", "Pending", 5, { requestor = "a.colleague@corp.example" })
      local send = r.driver.send
      function r.driver.send(request)
        local response, message, maybe_sent, code = send(request)
        if response and request.url:find("/machineactions?", 1, true) and not request.url:find "machineId" then
          response.body = response.body:gsub('"machineId":"' .. lost.machineId .. '"', '"machineId":null')
        end
        return response, message, maybe_sent, code
      end
    end)
    assert.equal(2, told.status, told.err)
    assert.matches('release "desk%-02%.corp%.example": nothing was sent; while the question stood, '
      .. "a%.colleague@corp%.example made", one_line(told.err))
    assert.matches("3 devices: 2 accepted, 1 left%.", one_line(told.err))
    assert.equal(2, #r:posts())
  end)

  -- Somebody restricts desk-01 and somebody cancels that, while the question stands.
  local function cancelled(ago, fields)
    return function()
      r.driver.sleep(100)
      fields.cancellationRequestor = "a.colleague@corp.example"
      fields.cancellationDateTimeUtc = fields.cancellationDateTimeUtc and rehearsal.time(r.tenant.clock.now() - 20)
      r:past(id(1), "restrict", "Cancelled", ago, fields)
    end
  end

  it("a colleague may cancel what is like it", function()
    for i, ago in ipairs { 50, 3600 } do
      local told = run({ "restrict", "desk-01", ("desk-1%d"):format(i) }, cancelled(ago,
        { cancellationDateTimeUtc = true }))
      assert.equal(2, told.status, told.err)
      assert.matches('restrict "desk%-01%.corp%.example": nothing was sent; while the question stood, '
        .. "a%.colleague@corp%.example cancelled action [%x-]+ %(RestrictCodeExecution%)", one_line(told.err))
      assert.matches("^desk%-1", told.out)
    end
    assert.equal(2, #r:posts())
  end)

  it("what was cancelled before does not count, and with --again nothing that was", function()
    r:past(id(2), "restrict", "Cancelled", 300,
      { cancellationDateTimeUtc = rehearsal.time(r.tenant.clock.now() - 200) })
    local told = run({ "restrict", "desk-02" }, function() r.driver.sleep(100) end)
    assert.equal(0, told.status, told.err)
    told = run({ "restrict", "desk-01", "--again" }, cancelled(50, { cancellationDateTimeUtc = true }))
    assert.equal(0, told.status, told.err)
    assert.equal(2, #r:posts())
  end)

  it("hours may pass, and one request tells that nobody did anything to any of many", function()
    local words, before = { "restrict" }, nil
    for i = 1, 30 do words[i + 1] = ("desk-%02d"):format(i) end
    local told = run(words, function()
      r.driver.sleep(7200)
      r:past(id(2), "release", "Cancelled", 20)
      r:past(id(3), "release", "Succeeded", 7300)
      before = #r:requests()
    end, "30")
    assert.equal(0, told.status, told.err)
    assert.equal(30, #r:posts())
    -- The history and the machines' records are too old by then, too.
    assert(#r:requests() - before <= 30 + 6, #r:requests() - before)
  end)

  it("what others did may be unreadable: that is said", function()
    local told = run({ "restrict", "desk-01" }, function()
      r:answer({ path = "UnrestrictCodeExecution" }, 403,
        { error = { code = "Forbidden", message = "no" } })
    end)
    assert.equal(0, told.status, told.err)
    assert.matches("Note: what others did while the question stood could not be read: ", one_line(told.err))
  end)
end)
