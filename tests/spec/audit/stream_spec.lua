local mde = require "mde"
local posix = require "mde.posix"
local ocsf_fields = require "tests.spec.support.ocsf"

local cjson = require "cjson"

local function change(fields)
  local own = { event = "change", time = 1, verb = "restrict", outcome = "accepted", machine_id = ("a1"):rep(20) }
  for name, value in pairs(fields or {}) do own[name] = value end
  return own
end

-- What a stream writes of these events.
local function written(events, options)
  local lines = {}
  local stream = mde.audit.ocsf(function(line, event)
    assert.same(event, cjson.decode(line))
    lines[#lines + 1] = event
  end, options)
  for _, event in ipairs(events) do stream(event) end
  return lines, stream
end

describe("an audit stream", function()
  it("numbers the changes from 1 behind an id of its own, and passes over all else", function()
    local lines = written { change(), { event = "request" }, { event = "warning", message = "x" }, change() }
    assert.equal(2, #lines)
    local id = lines[1].metadata.uid:match "^(%x+)/1$"
    assert.is_true(#id >= 16)
    assert.equal(id .. "/2", lines[2].metadata.uid)
    for i, line in ipairs(lines) do
      assert.equal(i, line.metadata.sequence)
      assert.same({}, ocsf_fields.problems(line))
    end
    assert.not_equal(id, written({ change() })[1].metadata.uid:match "^%x+")
  end)

  it("keeps the number of a run's event, and does not count it", function()
    local lines = written { change(), change { run = "R", sequence = 7, version = "0.0.9" }, change() }
    assert.same({ "R/7", "0.0.9" }, { lines[2].metadata.uid, lines[2].metadata.product.version })
    assert.equal(2, lines[3].metadata.sequence)
  end)

  it("names the version and the user", function()
    local line = written({ change() }, { user = "alice" })[1]
    assert.equal(mde._VERSION, "mde " .. line.metadata.product.version)
    assert.equal("alice", line.actor.user.name)
    -- Of a run its record says so.
    local of_run = written({ change { run = "R", sequence = 1 } }, { user = "alice" })[1]
    assert.is_nil(of_run.actor.user)
    assert.is_nil(of_run.metadata.product.version)
  end)

  it("leaves the event as it was told", function()
    local event = change()
    written { event }
    assert.same(change(), event)
  end)

  it("counts a line that could not be taken, so that it is missed", function()
    local sequences, fails = {}, true
    local stream = mde.audit.ocsf(function(_, event)
      if fails then error "no room" end
      sequences[#sequences + 1] = event.metadata.sequence
    end)
    assert.has_error(function() stream(change()) end)
    fails = false
    stream(change())
    assert.same({ 2 }, sequences)
  end)

  it("draws another id in a forked process", function()
    local generation = posix.fork.generation
    local lines, stream = written { change() }
    posix.fork.generation = function() return generation() + 1 end
    local ok, problem = pcall(stream, change())
    posix.fork.generation = generation
    assert(ok, problem)
    assert.not_equal(lines[1].metadata.uid:match "^%x+", lines[2].metadata.uid:match "^%x+")
    assert.equal(1, lines[2].metadata.sequence)
  end)

  it("raises for what cannot take a line, and for an unknown option", function()
    for _, wrong in ipairs { false, 5, "x", {} } do
      assert.error_matches(function() mde.audit.ocsf(wrong or nil) end, "needs a function")
    end
    assert.error_matches(function() mde.audit.ocsf(print, { file = "x" }) end, "file")
  end)
end)
