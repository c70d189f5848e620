-- batch: the same for many entries, told in their order.
-- Labels: not-lua5.3
local batch = require "mde.cli.batch.batch"
local console = require "tests.spec.support.console"
local errors = require "mde.base.error"
local rehearsal = require "tests.spec.support.rehearsal"

describe("a batch", function()
  local r, entries, begun, told

  before_each(function()
    r, entries, begun, told = rehearsal.new { machines = {} }, {}, {}, {}
    for i = 1, 20 do entries[i] = { device = tostring(i) } end
  end)

  -- Runs it; each takes a second longer than the one after it.
  local function run(act, options)
    options = options or {}
    local context = { client = r.client }
    return console.capture(function()
      return batch.run(context, entries, function(entry)
        begun[#begun + 1] = entry.device
        r.driver.sleep(30 - tonumber(entry.device))
        return act(entry)
      end, { label = "Working", patience = options.patience or 2,
        show = function(entry) told[#told + 1] = entry.device end })
    end, options)
  end

  local function devices(list)
    local names = {}
    for i, entry in ipairs(list or entries) do names[i] = entry.device end
    return names
  end

  it("is told in its order, however it ends", function()
    assert.is_true(run(function() return true end).value)
    assert.same(devices(), told)
  end)

  it("goes on after an error, and leaves out what is done", function()
    entries[3].done = true
    assert.is_true(run(function(entry)
      if entry.device == "2" then return nil, errors.new { kind = "refused", code = "refused", message = "no" } end
      return true
    end).value)
    assert.equal(19, #begun)
    assert.equal("refused", entries[2].err.kind)
    assert.is_nil(entries[1].err)
    assert.same(devices(), told)
  end)

  it("shows how far it is with those that were not done before", function()
    for i = 1, 15 do entries[i].done = true end
    local shown = run(function() return true end, { movable = true, columns = 80 }).err
    assert.matches("Working %[%.+%] 0 of 5", shown)
    assert.matches("Working %[#+%] 5 of 5", shown)
  end)

  for what, act in pairs {
    ["the sign-in failed"] = function() return nil, errors.new { kind = "auth", code = "no_token", message = "no" } end,
    ["an argument was wrong"] = function() errors.invalid("wrong_type", "wrong") end,
  } do
    it("begins no more once " .. what, function()
      assert.is_false(run(act).value)
      assert.is_true(#begun < 20)
      assert.equal(#begun, #told)
    end)
  end

  it("finishes what is in flight at the first Ctrl-C", function()
    local began = r.driver.now()
    local shown = run(function() return true end, { interruptions = function()
      return r.driver.now() - began >= 5 and 1 or 0
    end })
    assert.is_false(shown.value)
    assert.equal(8, #begun)
    assert.same({ "1", "2", "3", "4", "5", "6", "7", "8" }, told)
    assert.equal("Finishing what is in flight, nothing new is begun. Ctrl-C again stops at once.\n", shown.err)
  end)

  it("leaves what is in flight at the second", function()
    local began = r.driver.now()
    local shown = run(function() return true end, { interruptions = function()
      local seconds = r.driver.now() - began
      return seconds >= 24.5 and 2 or seconds >= 5 and 1 or 0
    end })
    assert.is_false(shown.value)
    assert.same({ "6", "7", "8" }, told)
    assert.is_true(entries[1].started)
    assert.is_nil(entries[1].done)
    assert.is_nil(entries[9].started)
  end)

  it("says the outcome of all at its end", function()
    entries = { { device = "1", done = true }, { device = "2", done = true, err = "x" },
      { device = "3", started = true }, { device = "4" } }
    local words = { noun = "device", outcome = function() return "accepted" end, ask = "mde state" }
    local function said(complete, count)
      local list = {}
      for i = 1, count or 4 do list[i] = entries[i] end
      return console.capture(function() batch.say_end(list, complete, words) end).err
    end
    assert.equal("4 devices: 1 accepted, 1 failed, 1 stopped in flight, of unknown fate, 1 not begun.\n"
      .. '"3": stopped in flight; mde state shows the outcome\n', said(false))
    assert.equal("2 devices: 1 accepted, 1 failed.\n", said(true, 2))
    assert.equal("", said(true, 1))
    words.brief, words.ask = true, nil
    assert.equal("", said(true, 2))
    assert.matches("1 not finished, 1 not begun", said(false))
  end)
end)
