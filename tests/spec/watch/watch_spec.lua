-- mde.watch.watch: each alert is handed to a function once, over restarts.
local alerts = require "tests.spec.support.alerts"
local cursor_files = require "mde.watch.cursor_file"
local errors = require "mde.base.error"
local posix = require "mde.posix"
local shell = require "tests.spec.support.process.shell"

describe("a watch", function()
  local list, path, handed, events

  before_each(function()
    list, handed, events = alerts.new(), {}, {}
    path = os.tmpname()
    os.remove(path)
  end)

  after_each(function() os.remove(path) end)

  local function handler(alert, _, attempt)
    handed[#handed + 1] = alert.id .. (attempt > 1 and " " .. attempt or "")
  end

  local function on_event(event)
    events[#events + 1] = event
  end

  local function events_of(what)
    local found = {}
    for _, event in ipairs(events) do
      if event.what == what then found[#found + 1] = event end
    end
    return found
  end

  -- Watches, with one read, or until so many seconds of the clock have passed.
  local function run(options, seconds)
    options = options or {}
    options.cursor, options.handler = options.cursor or path, options.handler or handler
    options.on_event, options.since = on_event, options.since or alerts.START
    local watch
    if seconds then
      local ends = list.now + seconds
      list.on_sleep = function() if list.now >= ends then watch:stop() end end
    else
      options.once = true
    end
    watch = list.watch(options)
    local ended, err = watch:run()
    list.on_sleep = nil
    return ended, err, watch
  end

  it("hands each alert over once, over restarts", function()
    list.add("a1", 1)
    list.add("a2", 1)
    list.now = 10
    assert.is_true(run())
    table.sort(handed)
    assert.same({ "a1", "a2" }, handed)
    list.add("a3", 1)
    list.rows[1].lastUpdateDateTime = alerts.at(9)
    assert.is_true(run())
    assert.same({ "a1", "a2", "a3" }, handed)
  end)

  it("hands alerts over as they come, and none of before it began", function()
    list.add("old", -5)
    list.on_sleep = nil
    run({ every = 10 }, 5)
    list.add("a1", list.now)
    assert.is_true((run({ every = 10 }, 35)))
    assert.same({ "a1" }, handed)
    list.rows[1].lastUpdateDateTime = alerts.at(list.now)
    assert.is_true(run())
    assert.same({ "a1" }, handed)
    assert.equal("old", events_of("old")[1].id)
  end)

  it("hands an alert over again when its status is another, if that is asked", function()
    local row = list.add("a1", 1)
    list.now = 10
    run { per = "status" }
    row.lastUpdateDateTime = alerts.at(2)
    run { per = "status" }
    assert.same({ "a1" }, handed)
    row.lastUpdateDateTime, row.status = alerts.at(3), "resolved"
    run { per = "status" }
    assert.same({ "a1", "a1" }, handed)
    local _, err = run()
    assert.equal("cursor_unusable", err.code)
    assert.truthy(tostring(err):find("option per", 1, true))
  end)

  it("gives the handler what a change says of the alert", function()
    list.add("da637551227677560813_-961444813", 1.5)
    list.now = 10
    local given
    run { handler = function(_, options) given = options end }
    assert.same({ key = "da637551227677560813_-961444813", decided_at = alerts.START + 1.5 }, given)
  end)

  it("tries an alert again that failed, and sets it aside and names it in the end", function()
    list.add("a1", 1)
    list.add("a2", 2)
    list.now = 10
    local ended, _, watch = run({ tries = 2, retry_after = 60, every = 20, handler = function(alert, _, attempt)
      handler(alert, nil, attempt)
      if alert.id == "a1" then return nil, "no such device" end
    end }, 200)
    assert.is_true(ended)
    assert.same({ "a2", "a1", "a1 2" }, handed)
    assert.same({ "a1" }, watch:status().set_aside)
    assert.equal(1, #events_of "failed")
    local aside = events_of("set_aside")[1]
    assert.same({ "a1", "failed", "no such device", 2 }, { aside.id, aside.reason, aside.err, aside.attempt })
    -- It is known after a restart, and may be handed over again.
    _, _, watch = run()
    assert.same({ "a1" }, watch:status().set_aside)
    assert.equal(3, #handed)
    run { again = { "a1" } }
    assert.same({ "a2", "a1", "a1 2", "a1" }, handed)
  end)

  it("goes on where a handler raises", function()
    list.add("a1", 1)
    list.add("a2", 2)
    list.now = 10
    run { handler = function(alert)
      handler(alert, nil, 1)
      if alert.id == "a2" then error("a mistake") end
      if alert.id == "a1" then error() end
    end }
    assert.same({ "a2", "a1" }, handed)
    assert.truthy(events_of("failed")[1].err:find "a mistake")
    assert.equal("it raised nil", events_of("failed")[2].err)
  end)

  it("hands alerts over though on_event raises, whatever it is told of", function()
    list.add("a1", 1)
    list.now = 10
    local told = 0
    local function watch()
      return list.watch { cursor = path, since = alerts.START, once = true, tries = 1, handler = handler,
        on_event = function()
          told = told + 1
          error "the log is full"
        end }:run()
    end
    assert.is_true(watch())
    assert.is_true(watch())
    assert.same({ "a1" }, handed)
    assert.is_true(told >= 8)
  end)

  it("does not blame an alert for what it cannot help", function()
    list.add("a1", 1)
    list.now = 10
    local retry_at = alerts.START + 400
    local watch = select(3, run({ tries = 1, every = 20, handler = function(alert, _, attempt)
      handler(alert, nil, attempt)
      if #handed == 1 then
        return nil, errors.new { kind = "protected", code = "cap_full", message = "full", retry_at = retry_at }
      elseif #handed == 2 then
        error(errors.new { kind = "unavailable", code = "connect", message = "down" })
      end
    end }, 600))
    assert.same({ "a1", "a1", "a1" }, handed)
    assert.equal(2, #events_of "put_off")
    assert.same({}, watch:status().set_aside)
    assert.equal(1, watch:status().handed_over)
  end)

  it("ends where no alert would fare better, and hands that one over again", function()
    list.add("a1", 1)
    list.add("a2", 2)
    list.now = 10
    local refused = errors.new { kind = "auth", code = "AADSTS7000222", message = "the secret has expired" }
    local ended, err = run { tries = 1, handler = function() return nil, refused end }
    assert.is_nil(ended)
    assert.equal(refused, err)
    list.now = 100
    run()
    table.sort(handed)
    assert.same({ "a1", "a2" }, handed)
  end)

  it("waits out limits and a service that is down, and says so", function()
    list.problems = { errors.new { kind = "unavailable", code = "connect", message = "down" },
      errors.new { kind = "unavailable", code = "connect", message = "down" },
      errors.new { kind = "throttled", code = "throttled", message = "later", retry_at = alerts.START + 75 } }
    list.add("a1", 1)
    run()
    assert.same({ "a1" }, handed)
    local waits = events_of "waiting"
    assert.same({ 5, 10, 60 }, { waits[1].seconds, waits[2].seconds, waits[3].seconds })
    assert.equal("down", waits[1].err.message)
    -- Nobody waits for hours.
    list.problems = { errors.new { kind = "throttled", code = "throttled", message = "later", retry_at = math.huge } }
    events = {}
    run()
    assert.equal(300, events_of("waiting")[1].seconds)
  end)

  it("ends with the error where waiting does not help", function()
    local missing = errors.new { kind = "permission", code = "permission_missing", message = "no role" }
    list.problems = { missing }
    local ended, err = run()
    assert.is_nil(ended)
    assert.equal(missing, err)
    list.problems = { "a mistake of the source" }
    assert.has_error(run, "a mistake of the source")
    -- What it had is free again.
    assert.is_true(run())
  end)

  it("takes an error that the source returns", function()
    local missing = errors.new { kind = "permission", code = "permission_missing", message = "no role" }
    local ended, err = run { source = { read = function() return nil, missing end } }
    assert.is_nil(ended)
    assert.equal(missing, err)
  end)

  it("does not move on from a page that could not be read", function()
    list.add("a1", 1)
    list.add("a2", 2)
    list.now = 10
    local pages = 0
    run { source = { read = function(_, since)
      local next_alert = list.source:read(since)
      return function()
        pages = pages + 1
        if pages == 2 then error(errors.new { kind = "unavailable", code = "closed", message = "cut" }, 0) end
        return next_alert()
      end
    end } }
    assert.same({ "a2", "a1" }, handed)
  end)

  it("names rows that it cannot know, once, and hands the others over", function()
    list.rows = { { title = "no id", lastUpdateDateTime = alerts.at(1) }, { id = "a0" }, 17 }
    list.add("a1", 1)
    list.now = 10
    local _, _, watch = run({ every = 10 }, 35)
    assert.same({ "a1" }, handed)
    local named = events_of "unusable"
    assert.equal(3, #named)
    assert.equal(3, watch:status().unusable)
    local reasons = { named[1].reason, named[2].reason, named[3].reason }
    table.sort(reasons)
    assert.same({ "no_id", "no_id", "no_time" }, reasons)
  end)

  it("reads by its id what the list does not have any more, since its handler has changed it", function()
    local row, found = list.add("a1", 10), {}
    local source = { read = list.source.read, find = function(_, id)
      found[#found + 1] = id
      return row
    end }
    local fails = true
    local function change(alert, _, attempt)
      handler(alert, nil, attempt)
      list.rows = {}
      if fails then return nil, "the comment was not written" end
    end
    list.now = 20
    run { handler = change, source = source }
    assert.same({}, found)
    list.now = 200
    fails = false
    run { handler = change, source = source }
    assert.same({ "a1" }, found)
    assert.same({ "a1", "a1 2" }, handed)
    list.now = 400
    run { handler = change, source = source }
    assert.same({ "a1" }, found)
    assert.same({}, events_of "set_aside")
  end)

  it("ends a read that cannot find one with the error, and knows it gone only where the service says so", function()
    list.add("a1", 10)
    local answers = { errors.new { kind = "unavailable", code = "x", message = "down" },
      errors.new { kind = "not_found", code = "no_such_alert", message = "gone" } }
    local source = { read = list.source.read, find = function() return nil, answers[1] end }
    local function fail() return nil, "no" end
    list.now = 20
    run { handler = fail, source = source }
    list.rows = {}
    list.now = 200
    run({ handler = fail, source = source, every = 60 }, 200)
    assert.same({}, events_of "set_aside")
    table.remove(answers, 1)
    run({ handler = fail, source = source, every = 60 }, 200)
    assert.equal("gone", events_of "set_aside"[1].reason)
  end)

  it("names an alert that is gone before it could be tried again", function()
    list.add("a1", 1)
    list.now = 10
    run({ every = 30, retry_after = 30, handler = function()
      list.rows = {}
      return nil, "not now"
    end }, 200)
    local aside = events_of("set_aside")[1]
    assert.same({ "a1", "gone" }, { aside.id, aside.reason })
  end)

  it("stops after the handler that runs", function()
    list.add("a1", 1)
    list.add("a2", 2)
    list.now = 10
    local watch
    watch = list.watch { cursor = path, since = alerts.START, handler = function(alert)
      handler(alert, nil, 1)
      watch:stop()
    end }
    assert.is_true(watch:run())
    assert.same({ "a2" }, handed)
    run()
    assert.same({ "a2", "a1" }, handed)
  end)

  it("asks whether to stop while it waits", function()
    local asked = 0
    assert.is_true(list.watch { cursor = path, handler = handler, stop = function()
      asked = asked + 1
      return asked > 20
    end }:run())
    assert.is_true(list.slept < 60)
  end)

  it("says how it stands", function()
    list.add("a1", 1)
    list.now = 10
    local watch = list.watch { cursor = path, handler = handler, once = true, since = alerts.START }
    assert.equal(0, watch:status().handed_over)
    watch:run()
    assert.same({ behind = 0, handed_over = 1, waiting = 0, set_aside = {}, unusable = 0 }, watch:status())
    list.now = 25
    assert.equal(15, watch:status().behind)
    watch = list.watch { cursor = path, handler = handler, once = true, on_event = on_event }
    watch:run()
    assert.equal(1, watch:status().handed_over)
    assert.is_false(events_of("begun")[1].fresh)
  end)

  it("is the only one that has its cursor", function()
    list.add("a1", 1)
    list.now = 10
    local inner, err
    run { handler = function() inner, err = list.watch { cursor = path, handler = handler, once = true }:run() end }
    assert.is_nil(inner)
    assert.equal("cursor_in_use", err.code)
    assert.is_true(list.watch { cursor = path, handler = handler, once = true }:run())
  end)

  it("writes down that a handler begins, before it does, and that it has ended, before anything else", function()
    list.add("a1", 1)
    list.add("a2", 2)
    list.now = 10
    local copy, seen = path .. ".copy", {}
    finally(function() os.remove(copy) end)
    -- What another process would find now of both: whether it is done, or which try would be next.
    local function look()
      shell.write_file(copy, shell.read_file(path))
      local kept, found = assert(cursor_files.open(copy, 0)), {}
      kept.cursor:read(alerts.START + 10)
      for _, row in ipairs(list.rows) do
        local answer = kept.cursor:tell(alerts.START + 10, row.id, row.lastUpdateDateTime, row.createdDateTime)
        found[#found + 1] = answer == "known" and "done" or ("%d"):format(kept.cursor:begin(row.id))
      end
      kept:close()
      seen[#seen + 1] = table.concat(found, " ")
    end
    local watch = list.watch { cursor = path, once = true, since = alerts.START, handler = look,
      on_event = function(event) if event.what == "handed_over" then look() end end }
    assert.is_true(watch:run())
    assert.same({ "1 2", "1 done", "2 done", "done done" }, seen)
  end)

  it("has that safe on the disk", function()
    list.add("a1", 1)
    list.now = 10
    local safe = {}
    local watch = list.watch { cursor = path, once = true, since = alerts.START, handler = function() end,
      on_event = function(event) if event.what == "handed_over" then safe[#safe + 1] = true end end }
    local append = posix.log_file.open
    finally(function() posix.log_file.open = append end)
    posix.log_file.open = function(...)
      local file, problem = append(...)
      return setmetatable({}, { __index = function(_, name)
        return function(_, bytes, is_safe)
          if name == "append" then safe[#safe + 1] = is_safe or false end
          return file[name](file, bytes, is_safe)
        end
      end }), problem
    end
    assert.is_true(watch:run())
    -- The beginning; the end, before it is told; the read.
    assert.same({ false, true, true, true }, safe)
  end)

  it("begins a sweep now and then, which finds what came late", function()
    list.add("a1", 5000)
    list.now = 5010
    run({ every = 60, sweep_every = 600, overlap = 60, span = 3000 }, 100)
    list.add("late", 4000)
    run({ every = 60, sweep_every = 600, overlap = 60, span = 3000 }, 300)
    assert.same({ "a1" }, handed)
    run({ every = 60, sweep_every = 600, overlap = 60, span = 3000 }, 600)
    assert.same({ "a1", "late" }, handed)
  end)

  it("raises for options that are of no use", function()
    for _, options in ipairs { {}, { handler = handler }, { cursor = path }, { handler = handler, cursor = "" },
      { handler = handler, cursor = { store = "a b" } }, { handler = handler, cursor = { store = "a" } },
      { handler = handler, cursor = path, per = "day" }, { handler = handler, cursor = path, span = 1 },
      { handler = handler, cursor = path, tries = 101 }, { handler = handler, cursor = path, since = 17 },
      { handler = handler, cursor = path, source = {} }, { handler = handler, cursor = path, again = { 17 } },
      { handler = handler, cursor = path, interval = 17 } } do
      local ok, err = pcall(list.watch, options)
      assert.is_false(ok)
      assert.equal("invalid", err.kind)
    end
  end)
end)
