-- The report of a run as a table, as CSV, and as objects of JSON.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local errors = require "mde.base.error"
local json = require "mde.base.json"
local journals = require "tests.spec.support.journals"
local recorded = require "tests.spec.support.recorded"
local report = require "mde.cli.report.run"
local runs = require "mde.run"
local shell = require "tests.spec.support.process.shell"

describe("the report of a run", function()
  local directory, path

  before_each(function()
    directory = shell.new_directory_in_memory()
    path = directory .. "/run.db"
  end)

  after_each(function() shell.remove(directory) end)

  local function account(told)
    recorded.write(path, told)
    return assert(runs.account(path))
  end

  local function written(own, format, columns)
    return console.capture(function() report.write({ format = format, arguments = {} }, own) end,
      { columns = columns }).out
  end

  local function lines_of(text)
    local lines = {}
    for line in text:gmatch "[^\r\n]+" do lines[#lines + 1] = line end
    return lines
  end

  it("is a table, the worst first, a line for each device", function()
    local lines = lines_of(written(account { devices = recorded.bad_night }, "text", 200))
    assert.equal(#recorded.bad_night + 1, #lines)
    assert.matches("^NAME +CAME TO +SENT +DONE +NOTE", lines[1])
    for i, pattern in ipairs { "^lost%S* +unknown +11%-29 02:58", "^unknown%S* +unknown", "^failed%S* +failed",
      "^refused%S* +refused .*the service said no",
      "^cancelled%S* +cancelled .*cancelled by carol",
      "^never%S* +not sent +W", "^taken%S* +superseded .*bob released it",
      "^unread%S* +not looked at .*HTTP 503", "^pending%S* +pending",
      "^done%S* +restricted +11%-29 02:58 +11%-29 02:58",
      "^faster%S* +already active .*by INC%-1", "^held%S* +already active .*by INC%-1",
      "^dc%-1%S* +protected .*rule servers", "^opposite%S* +conflict .*a release is pending" } do
      assert.matches(pattern, lines[i + 1])
    end
  end)

  it("sums up what the plan noted beside", function()
    local own = account { devices = recorded.bad_night }
    for i = 1, 292 do own.others[i] = ("tag pc-%d.corp.example: seen"):format(i) end
    local said = console.capture(function() report.say(own) end, { columns = 200, answers = {} }).err
    assert.equal(1, select(2, said:gsub("Also: ", "")))
    assert.matches("Also: tag 292: pc-1.corp.example: seen, ", said, 1, true)
  end)

  it("has names, words and times whole where there is little room", function()
    for _, line in ipairs(lines_of(written(account { devices = recorded.bad_night }, "text", 80))) do
      assert.is_true(#line <= 80, line)
    end
  end)

  it("says until when what has an end holds", function()
    local own = account { devices = { { name = "a", outcome = "accepted", status = "Succeeded",
      expires = 1796000000 } } }
    local lines = lines_of(written(own, "text", 200))
    assert.matches("DONE +UNTIL", lines[1])
    assert.matches("11%-30 00:53", lines[2])
  end)

  it("leaves columns away that would say nothing", function()
    local line = lines_of(written(account { devices = { { name = "a", outcome = "refused" } } }, "text", 200))[1]
    assert.matches("^NAME +CAME TO +SENT +PLATFORM +INCIDENT$", line)
  end)

  it("is CSV, a line for each change, that a spreadsheet does not run", function()
    local devices = { { name = "=cmd|' /C calc'!A0", outcome = "accepted", status = "Succeeded", comment = "@SUM(1)",
      reason = "+1" }, { name = 'a"b\27,', decision = "protected", rule = "-1", why = "\226\128\174x" } }
    local own = account { devices = devices }
    local text = written(own, "csv")
    local lines = lines_of(text)
    assert.equal(3, #lines)
    assert.matches("^computerDnsName,machineId,device_came_to,came_to,verb,incident,wave,sent,answered,done,expires,",
      lines[1])
    assert.truthy(lines[2]:find("'=cmd|' /C calc'!A0,", 1, true))
    assert.truthy(lines[2]:find(",'@SUM(1),", 1, true))
    assert.truthy(lines[2]:find(",'+1", 1, true))
    assert.truthy(lines[2]:find(",2026-11-29T02:58:05Z,", 1, true))
    assert.truthy(lines[3]:find('"a""b\\x1b,"', 1, true))
    assert.truthy(lines[3]:find("'-1", 1, true))
    assert.truthy(lines[3]:find("\\xe2\\x80\\xaex", 1, true))
  end)

  it("is JSON whatever a setting is called", function()
    local own = account { devices = recorded.bad_night, run = { settings = '{"bound":{"ended_at":"2h","x_at":[1]}}' } }
    local run = json.decode(lines_of(written(own, "json"))[1])
    assert.same({ ended_at = "2h", x_at = "[1]" }, run.settings)
  end)

  it("is objects of JSON, first the run, then each device with its changes", function()
    local own = account { devices = recorded.bad_night, state = "paused", why = "2 are not known",
      events = { { "gate", "wave 1: all well" } } }
    local lines = lines_of(written(own, "json"))
    assert.equal(#recorded.bad_night + 1, #lines)
    local run = json.decode(lines[1])
    assert.equal("run", run.type)
    assert.equal("20261130T025804Z-7f3a", run.id)
    assert.equal("paused", run.state)
    assert.equal(2, run.counts.unknown)
    assert.equal("2026-11-29T02:58:04Z", run.made_at)
    assert.equal("2026-11-29T02:58:05Z", run.events[1].at)
    assert.equal("2026-11-29T02:58:04Z", run.sessions[1].began_at)
    assert.is_nil(run.playbook_text)
    local device = json.decode(lines[11])
    assert.equal("device", device.type)
    assert.equal("restricted", device.word)
    assert.equal("2026-11-29T02:58:05Z", device.changes[1].sent_at)
    assert.equal("operation-1", device.changes[1].operation_id)
  end)

  it("says what came of it, and what to do now", function()
    local own = account { devices = recorded.bad_night, state = "paused", why = "2 are not known",
      events = { { "change", '{"machine_id":"ff","verb":"restrict","outcome":"protected","message":"not \\u001b it",'
        .. '"computerDnsName":"else"}' } },
      run = { settings = '{"unresolvable":[{"asked":"\\"nobody\\u001b\\"","code":"x","why":"none"}],'
        .. '"others":["tag a: b"]}' } }
    local told = console.capture(function() report.say(own) end).err
    for _, words in ipairs { "2 unknown: it was sent, and it is not known what came of it.", "mde resume " .. path,
      'Not resolved: "nobody\\x1b": none', "Also: tag a: b",
      "Left, as the plan does not have it: restrict else: not \\x1b it", "1 of 10 devices restricted, 2 unknown",
      "mde state " .. recorded.id(3) } do
      assert(told:find(words, 1, true), words .. "\n" .. told)
    end
  end)

  it("says what the service has made of it", function()
    local told = console.capture(function()
      report.say_verified { verified_at = 1796000000, compared = 3, differences = {} }
    end).err
    assert.equal("Verified against the service at 2026-11-30T00:53:20Z: 3 changes, and nothing differs.\n", told)
    told = console.capture(function()
      report.say_verified { verified_at = 1796000000, compared = 3, differences = { { verb = "restrict",
        name = "\27[2Jpc-1", machine_id = "x", words = "it has gone on" } } }
    end).err
    assert.matches("3 changes, and one thing differs from", told)
    assert.truthy(told:find("restrict \\x1b[2Jpc-1: it has gone on", 1, true))
  end)

  it("of a run that was undone says so, as words and as JSON", function()
    local own = account { devices = { { name = "a", outcome = "accepted", status = "Succeeded" } },
      events = { { "undone", "20261129T050000Z-bbbb" } }, why = "undone by 20261129T050000Z-bbbb" }
    local told = console.capture(function() report.say(own) end).err
    assert.matches("\nUndone by 20261129T050000Z%-bbbb; before that: 1 of 1 device restricted%.", told)
    assert.matches(": undone %(undone by 20261129T050000Z%-bbbb%)", told)
    assert.equal("20261129T050000Z-bbbb", json.decode(lines_of(written(own, "json"))[1]).undone_by)
  end)

  it("of hostile names acts on no terminal", function()
    local names = { "\27[2J", "\226\128\174x", "a\0b", ("x"):rep(10000), "a\nb" }
    local devices = {}
    for i, name in ipairs(names) do
      devices[i] = { name = name, outcome = "refused", said = name, tags = { name }, platform = name, reason = name }
    end
    local own = account { devices = devices, state = "stopped", why = "\27[2J",
      run = { id = "\27[2J", playbook = "\27[2J" } }
    for _, format in ipairs { "text", "csv", "json" } do
      for _, line in ipairs(lines_of(written(own, format, 100))) do
        assert.equal(errors.escape(line), line)
      end
    end
    for line in console.capture(function() report.say(own) end).err:gmatch "[^\n]+" do
      assert.equal(errors.escape(line), line)
    end
  end)

  it("tells a device that it cannot tell anything of", function()
    local file = journals.begun(path, 1)
    file:close()
    local own = assert(runs.account(path))
    assert.equal(2, #lines_of(written(own, "csv")))
    assert.matches("laptop%-1 +left", written(own, "text", 100))
  end)
end)
