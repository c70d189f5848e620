-- What the service's limits and the caps make of a plan: found out, kept, and told.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local json = require "mde.base.json"
local limits = require "mde.cli.run.limits"
local playbooks = require "tests.spec.support.playbooks"

describe("what the limits make of a plan", function()
  local stage

  before_each(function()
    stage = playbooks.new { machines = playbooks.fleet(120), client = { cap = { restrict = 25, quarantine = 1 } } }
  end)
  after_each(function() stage.remove() end)

  local SHA1 = ("a1"):rep(20)

  local function found(count)
    return limits.of(stage.client, assert(stage.plan(playbooks.restrict(count, ([[
      for i = 1, math.min(2, #names) do mde.quarantine(names[i], "dropper", { sha1 = "%s" }) end]]):format(SHA1)))))
  end

  local function said(of) return console.capture(function() limits.say(of) end, { columns = 200, answers = {} }).err end

  it("is how long it takes, and which caps stop it", function()
    local of = found(120)
    -- A hundred restricts in a minute, and two quarantines.
    assert.same({ 60, 102 }, { of.seconds, of.at_once })
    assert.same({ { verb = "restrict", count = 120, limit = 25, remaining = 25, is_counted = true },
      { verb = "quarantine", sha1 = SHA1, count = 2, limit = 1, remaining = 1, is_counted = true } }, of.caps)
    local text = said(of)
    assert.matches("It takes at least [^;]+ under the service's limits; %d+ go at once", text)
    assert.matches("The cap of 25 restricts an hour lets 25 of these 120 through now; for all of them give --cap "
      .. "restrict=120.", text, 1, true)
    assert.matches("The cap of 1 quarantines of the file " .. SHA1 .. " an hour lets 1 of these 2 through now", text, 1,
      true)
    -- A plan that is kept keeps its caps.
    local kept = console.capture(function() limits.say(of, true) end, { columns = 200, answers = {} }).err
    assert.matches("for all of them make a new plan with --cap restrict=120.", kept, 1, true)
    local members = limits.members(of)
    assert.same({ of.seconds, of.at_once, 25, 25, "restrict", 2 }, { members.seconds, members.at_once, members.cap,
      members.cap_lets_through, members.cap_of, #members.caps })
  end)

  it("is told, too, of a cap that is in the way only of what the playbook may come to", function()
    stage.remove()
    stage = playbooks.new { machines = playbooks.fleet(40), client = { cap = { restrict = false, isolate = 25 } } }
    local of = limits.of(stage.client, assert(stage.plan(playbooks.restrict(40, [[
      for i = 1, #names do mde.may("isolate", names[i], "later") end]]))))
    assert.same({ { verb = "isolate", count = 40, limit = 25, remaining = 25, is_counted = true, if_needed = true } },
      of.caps)
    assert.matches("If the playbook comes to all of its 40 isolations: the cap of 25 an hour lets 25 through now; for "
      .. "all of them give --cap isolate=40.", said(of), 1, true)
    assert.equal(said(of), said(limits.kept(json.decode(json.encode(of)))))
    local members = limits.members(of)
    assert.same({ nil, true }, { members.cap, members.caps[1].if_needed })
    of.caps[1].if_needed = "x"
    assert.is_nil(limits.kept(of))
  end)

  it("is nothing to be told where there is nothing to say", function()
    local of = limits.of(stage.client, assert(stage.plan "return"))
    assert.same({ seconds = 0, at_once = 0, caps = {} }, of)
    assert.equal("", said(of))
    assert.same({ seconds = 0, at_once = 0 }, limits.members(of))
  end)

  it("is kept as it is, and not taken for what it is not", function()
    local of = found(120)
    assert.same(of, limits.kept(json.decode(json.encode(of))))
    assert.equal(said(of), said(limits.kept(json.decode(json.encode(of)))))
    for _, other in ipairs { "x", {}, { seconds = 1, at_once = 1.5, caps = {} },
      { seconds = "1", at_once = 1, caps = {} }, { seconds = 1e300, at_once = 1, caps = {} },
      { seconds = -1, at_once = 1, caps = {} }, { seconds = 0 / 0, at_once = 1, caps = {} },
      { seconds = 1, at_once = 1 }, { seconds = 1, at_once = 1, caps = { 1 } },
      { seconds = 1, at_once = 1, caps = { { verb = "x", count = 1, limit = 1, remaining = 1 } } },
      { seconds = 1, at_once = 1, caps = { { verb = "restrict", count = -1, limit = 1, remaining = 1 } } },
      { seconds = 1, at_once = 1, caps = { { verb = "restrict", count = 1, limit = 1, remaining = 1, sha1 = {} } } },
    } do
      assert.is_nil(limits.kept(other))
    end
    assert.is_nil(limits.kept(nil))
  end)
end)
